"""Feature squeezing: several ways to take detail out, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Interval

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Defence

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class FeatureSqueezing:
    """Fewer levels, then medians, then non-local means (Xu, Evans, Qi 2018).

    Attributes:
        bits: per channel; see ``bit-depth``.
        median: size of the window in pixels; 1 leaves medians out. See ``median``.
        strength: of non-local means, in pixel units of [0,1]; 0 leaves them out. The source takes
            2/255 = 0.0078 for CIFAR-10 and 4/255 for ImageNet.
        search: size of the window that non-local means average over.
        patch: size of the patches that they compare.

    Deviations: the source's joint detector asks the model about each squeezed image, and calls an
    image adversarial where an answer is too far from that to the image itself. Here nothing is
    rejected: the model sees images that went through all squeezers.
    """

    bits: Annotated[int, Interval(ge=1, le=8)] = 5
    median: Annotated[int, Interval(ge=1, le=15)] = 2
    strength: Annotated[float, Ge(0)] = 0.0
    search: Literal[3, 5, 7, 9, 11, 13, 15, 17, 19, 21] = 13
    patch: Literal[1, 3, 5, 7] = 3

    def defend(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model behind the squeezers; see :class:`hfcbench.types.Defence`."""
        from hfcbench.defences.transformed_input import Averaged, MedianFiltered, ReducedBits

        # The last squeezer is the one closest to the model.
        if self.strength > 0:
            model = Averaged(model, self.strength, self.search, self.patch)
        if self.median > 1:
            model = MedianFiltered(model, self.median)
        return ReducedBits(model, self.bits).eval()


@hookimpl
def hfcbench_register_defences(register: Register[Defence]) -> None:
    register("feature-squeezing", FeatureSqueezing, version="1")
