"""The tables. A change here needs an Alembic revision and a golden database for it.

Besides these the revisions create the views ``results``, ``leaderboard`` and ``robustness``.
"""

from hfcbench.results.schema.analyses import Analysis, Quantity
from hfcbench.results.schema.base import Base
from hfcbench.results.schema.evaluations import (
    Condition,
    Evaluation,
    LabelSet,
    Metric,
    Prediction,
    ReliabilityCheck,
    Score,
)
from hfcbench.results.schema.runs import (
    Claim,
    Disagreement,
    Failure,
    Plugin,
    Run,
    RunPlugin,
)
from hfcbench.results.schema.trainings import (
    Artifact,
    Curve,
    Dataset,
    Epoch,
    Training,
    TrainingHeuristic,
)

__all__ = [
    "Analysis",
    "Artifact",
    "Base",
    "Claim",
    "Condition",
    "Curve",
    "Dataset",
    "Disagreement",
    "Epoch",
    "Evaluation",
    "Failure",
    "LabelSet",
    "Metric",
    "Plugin",
    "Prediction",
    "Quantity",
    "ReliabilityCheck",
    "Run",
    "RunPlugin",
    "Score",
    "Training",
    "TrainingHeuristic",
]
