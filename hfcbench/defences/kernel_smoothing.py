"""Kernel smoothing: robustness without training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Defence

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class KernelSmoothing:
    """Add rho times its eight neighbours to each weight of the first convolution (equation 3)."""

    rho: Annotated[float, Ge(0)] = 1.0

    def defend(self, model: torch.nn.Module) -> torch.nn.Module:
        """A copy with smoothed kernels; see :class:`hfcbench.types.Defence`."""
        from hfcbench.defences.smoothing import SmoothedModel

        return SmoothedModel(model, self.rho).eval()


@hookimpl
def hfcbench_register_defences(register: Register[Defence]) -> None:
    register("kernel-smoothing", KernelSmoothing, version="1")
