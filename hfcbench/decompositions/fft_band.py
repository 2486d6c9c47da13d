"""fft-band: a ring of frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench import hookimpl
from hfcbench.decompositions.cutoffs import check_radius, corner_distance, parse_number
from hfcbench.errors import SpecificationError
from hfcbench.hookspecs import Register
from hfcbench.types import Cutoff, Decomposition, ImageShape

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class FFTBand:
    """Frequencies in a ring between two radii, and all others: band@4-8 and rest@4-8."""

    parts = ("band", "rest")

    def parse(self, text: str) -> Cutoff:
        """The radii in ``band@4-8``; the inner one belongs to the ring, the outer one does not."""
        inner_text, separator, outer_text = text.partition("-")
        inner = 0.0 if inner_text == "0" else parse_number(inner_text, "inner radius")
        outer = parse_number(outer_text, "outer radius") if separator else 0.0
        if inner >= outer:
            raise SpecificationError(f"a ring is written INNER-OUTER as in '4-8', not '{text}'")
        return inner, outer

    def check(self, cutoff: Cutoff, shape: ImageShape) -> None:
        """Raise SpecificationError if the ring lies beyond all frequencies of such images."""
        check_radius(_radii(cutoff)[0], corner_distance(shape), shape)

    def split(
        self, images: torch.Tensor, cutoffs: Sequence[Cutoff]
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """See :func:`hfcbench.frequency.fourier.split_bands`."""
        from hfcbench.frequency.fourier import split_bands

        return split_bands(images, [_radii(cutoff) for cutoff in cutoffs])


def _radii(cutoff: Cutoff) -> tuple[float, float]:
    if not isinstance(cutoff, tuple):
        raise SpecificationError(f"a ring needs two radii, not {cutoff:g}")
    return cutoff


@hookimpl
def hfcbench_register_decompositions(register: Register[Decomposition]) -> None:
    register("fft-band", FFTBand, version="1")
