"""Writing new plugin distributions from templates. Nothing heavy is imported here."""

from hfcbench.scaffolding.distribution import Distribution, plan_distribution
from hfcbench.scaffolding.templates import TEMPLATES

__all__ = ["TEMPLATES", "Distribution", "plan_distribution"]
