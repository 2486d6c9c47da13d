"""svd: singular values instead of frequencies (section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench import hookimpl
from hfcbench.decompositions.cutoffs import parse_number, single
from hfcbench.errors import SpecificationError
from hfcbench.hookspecs import Register
from hfcbench.types import Cutoff, Decomposition, ImageShape

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class SVD:
    """The leading singular values of each channel, up to a rank, and the trailing ones."""

    parts = ("lfc", "hfc")

    def parse(self, text: str) -> Cutoff:
        """The rank in ``lfc@8``, a whole number."""
        rank = parse_number(text, "rank")
        if not rank.is_integer():
            raise SpecificationError(f"the rank must be a whole number, not '{text}'")
        return rank

    def check(self, cutoff: Cutoff, shape: ImageShape) -> None:
        """Raise SpecificationError if the rank leaves no singular value for the high part."""
        full = min(shape.height, shape.width)
        if single(cutoff) >= full:
            raise SpecificationError(
                f"{shape.height}x{shape.width} images have {full} singular values; "
                f"rank {single(cutoff):g} leaves none of them out"
            )

    def split(
        self, images: torch.Tensor, cutoffs: Sequence[Cutoff]
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """See :func:`hfcbench.frequency.svd.split_svd`."""
        from hfcbench.frequency.svd import split_svd

        return split_svd(images, [int(single(cutoff)) for cutoff in cutoffs])


@hookimpl
def hfcbench_register_decompositions(register: Register[Decomposition]) -> None:
    register("svd", SVD, version="1")
