"""Kernel smoothing: robustness without training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Defence

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class KernelSmoothing:
    """Add rho times its eight neighbours to each weight of the first convolution (equation 3).

    Attributes:
        rho: weight of the neighbours, without unit.
        layers: which convolutions, in the order that the model calls them: the first one, as in
            the paper, the first so many, or all.
        normalised: divide by ``1 + 8 rho``, so that the sum of a kernel's weights stays; the paper
            does not, and so also strengthens the response.
    """

    rho: Annotated[float, Ge(0)] = 1.0
    layers: Literal["first", "all"] | Annotated[int, Ge(1)] = "first"
    normalised: bool = False

    def defend(self, model: torch.nn.Module) -> torch.nn.Module:
        """A copy with smoothed kernels; see :class:`hfcbench.types.Defence`."""
        from hfcbench.defences.smoothing import SmoothedModel

        most = None if self.layers == "all" else 1 if self.layers == "first" else self.layers
        return SmoothedModel(model, self.rho, most, normalised=self.normalised).eval()


@hookimpl
def hfcbench_register_defences(register: Register[Defence]) -> None:
    register("kernel-smoothing", KernelSmoothing, version="1")
