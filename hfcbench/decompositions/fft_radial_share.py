"""fft-radial-share: the paper's split at a radius that grows with the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench import hookimpl
from hfcbench.decompositions.cutoffs import check_radius, corner_distance, parse_number, single
from hfcbench.hookspecs import Register
from hfcbench.types import Cutoff, Decomposition, ImageShape

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class FFTRadialShare:
    """As fft-radial, with the radius as a share of each picture's shorter side.

    A radius in bins means another blur for a picture of another size; a share means the same for
    all. At 0.5 the circle touches the highest frequency of the shorter side.
    """

    parts = ("lfc", "hfc")

    def parse(self, text: str) -> Cutoff:
        """The share in ``lfc@0.25``."""
        return parse_number(text, "share")

    def check(self, cutoff: Cutoff, shape: ImageShape) -> None:
        """Raise SpecificationError if no frequency of such images lies beyond it."""
        radius = single(cutoff) * _shorter(shape.height, shape.width)
        check_radius(radius, corner_distance(shape), shape)

    def split(
        self, images: torch.Tensor, cutoffs: Sequence[Cutoff]
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """See :func:`hfcbench.frequency.fourier.split_radial`."""
        from hfcbench.frequency.fourier import split_radial

        shorter = _shorter(*images.shape[-2:])
        return split_radial(images, [single(cutoff) * shorter for cutoff in cutoffs])


def _shorter(height: int, width: int) -> int:
    return min(height, width)


@hookimpl
def hfcbench_register_decompositions(register: Register[Decomposition]) -> None:
    register("fft-radial-share", FFTRadialShare, version="1")
