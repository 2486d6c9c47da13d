"""Fewer levels of brightness."""

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
class BitDepth:
    """Round pixels to 2**bits levels (Xu, Evans, Qi 2018).

    Attributes:
        bits: per channel; images have 8.
    """

    bits: Annotated[int, Interval(ge=1, le=8)] = 4

    def defend(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model behind the rounding; see :class:`hfcbench.types.Defence`."""
        from hfcbench.defences.transformed_input import ReducedBits

        return ReducedBits(model, self.bits).eval()


@hookimpl
def hfcbench_register_defences(register: Register[Defence]) -> None:
    register("bit-depth", BitDepth, version="1")
