"""Medians of small windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Interval

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Defence

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Median:
    """Replace each pixel by the median of the window around it (Xu, Evans, Qi 2018).

    Attributes:
        size: of the square window in pixels; the source uses 2 and 3.
    """

    size: Annotated[int, Interval(ge=2, le=15)] = 3

    def defend(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model behind the filter; see :class:`hfcbench.types.Defence`."""
        from hfcbench.defences.transformed_input import MedianFiltered

        return MedianFiltered(model, self.size).eval()


@hookimpl
def hfcbench_register_defences(register: Register[Defence]) -> None:
    register("median", Median, version="1")
