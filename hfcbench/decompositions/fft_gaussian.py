"""fft-gaussian: a soft edge."""

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
class FFTGaussian:
    """Frequencies weighted by a Gaussian around DC, and the rest; sigma is the radius."""

    parts = ("lfc", "hfc")

    def parse(self, text: str) -> Cutoff:
        """The sigma in ``lfc@8``."""
        return parse_number(text, "sigma")

    def check(self, cutoff: Cutoff, shape: ImageShape) -> None:
        """Raise SpecificationError if no frequency of such images lies beyond it."""
        check_radius(single(cutoff), corner_distance(shape), shape)

    def split(
        self, images: torch.Tensor, cutoffs: Sequence[Cutoff]
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """See :func:`hfcbench.frequency.fourier.split_gaussian`."""
        from hfcbench.frequency.fourier import split_gaussian

        return split_gaussian(images, [single(cutoff) for cutoff in cutoffs])


@hookimpl
def hfcbench_register_decompositions(register: Register[Decomposition]) -> None:
    register("fft-gaussian", FFTGaussian, version="1")
