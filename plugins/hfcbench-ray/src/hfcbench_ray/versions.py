"""What a process computes with, so that all that work on one plan use the same."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Self

from hfcbench.plugins import Plugins
from hfcbench.references import KINDS
from hfcbench.registry import Origin, Registry
from hfcbench.version import __version__


@dataclass(frozen=True)
class Versions:
    """The versions that results depend on.

    Attributes:
        packages: name and version of hfcbench and of torch.
        plugins: every plugin that provides something.
    """

    packages: tuple[tuple[str, str], ...]
    plugins: frozenset[Origin]

    @classmethod
    def here(cls, registry: Registry) -> Self:
        """Those of this process, with the plugins of its registry."""
        origins = (known.origin for kind in KINDS for known in registry.all(kind))
        return cls((("hfcbench", __version__), ("torch", _torch_version())), frozenset(origins))

    def differences(self, plugins: Plugins) -> list[str]:
        """What is different in this process, which loaded ``plugins``; empty if nothing is."""
        there = Versions.here(plugins.registry)
        found = [
            f"{name} {has} instead of {wanted}"
            for (name, wanted), (_, has) in zip(self.packages, there.packages, strict=True)
            if has != wanted
        ]
        reasons = {failed.origin: f" ({failed.reason})" for failed in plugins.failed}
        found += [
            f"plugin {origin} is missing{reasons.get(origin, '')}"
            for origin in sorted(self.plugins - there.plugins, key=str)
        ]
        found += [
            f"plugin {origin} is there only"
            for origin in sorted(there.plugins - self.plugins, key=str)
        ]
        return found


def _torch_version() -> str:
    """Without the part that says for which device it was built."""
    try:
        return version("torch").partition("+")[0]
    except PackageNotFoundError:
        return "missing"
