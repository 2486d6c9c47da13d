"""fft-square: a square instead of a disc."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench import hookimpl
from hfcbench.decompositions.cutoffs import check_radius, parse_number, single
from hfcbench.hookspecs import Register
from hfcbench.types import Cutoff, Decomposition, ImageShape

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class FFTSquare:
    """Frequencies in a square around DC, and the rest; half a side is the radius."""

    parts = ("lfc", "hfc")

    def parse(self, text: str) -> Cutoff:
        """The radius in ``lfc@8``."""
        return parse_number(text, "radius")

    def check(self, cutoff: Cutoff, shape: ImageShape) -> None:
        """Raise SpecificationError if no frequency of such images lies beyond it."""
        check_radius(single(cutoff), max(shape.height // 2, shape.width // 2), shape)

    def split(
        self, images: torch.Tensor, cutoffs: Sequence[Cutoff]
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """See :func:`hfcbench.frequency.fourier.split_square`."""
        from hfcbench.frequency.fourier import split_square

        return split_square(images, [single(cutoff) for cutoff in cutoffs])


@hookimpl
def hfcbench_register_decompositions(register: Register[Decomposition]) -> None:
    register("fft-square", FFTSquare, version="1")
