"""Models that see transformed images, and what attacks are told of each transform."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from hfcbench.defence_modules import InputTransform
from hfcbench.defences.squeezing import median_filter, non_local_means, reduce_bits
from hfcbench.frequency.components import Component, extract
from hfcbench.types import ImageShape


class ComponentInput(InputTransform):
    """A model that sees one part of a decomposition, whose gradient attacks follow.

    Args:
        component: the decomposition, which part of it, where it cuts, and the rescaling.

    Raises:
        SpecificationError: when called with images in which the cutoff leaves nothing to split.
    """

    differentiable: ClassVar[bool] = True

    def __init__(self, model: nn.Module, component: Component) -> None:
        super().__init__(model)
        self.component = component

    def transform(self, images: Tensor) -> Tensor:
        """The part ``(N,C,H,W)`` float32."""
        decomposition, cutoff = self.component.decomposition, self.component.cutoff
        if decomposition is not None and cutoff is not None:
            decomposition.check(cutoff, ImageShape(*images.shape[1:]))
        (seen,) = extract(images, [self.component])
        return seen


class ReducedBits(InputTransform):
    """A model that sees ``2**bits`` levels; attacks take rounding for the identity."""

    def __init__(self, model: nn.Module, bits: int) -> None:
        super().__init__(model)
        self.bits = bits

    def transform(self, images: Tensor) -> Tensor:
        """See :func:`hfcbench.defences.squeezing.reduce_bits`."""
        return reduce_bits(images, self.bits)


class MedianFiltered(InputTransform):
    """A model that sees medians; attacks follow each back to the pixel that it was taken from."""

    differentiable: ClassVar[bool] = True

    def __init__(self, model: nn.Module, size: int) -> None:
        super().__init__(model)
        self.size = size

    def transform(self, images: Tensor) -> Tensor:
        """See :func:`hfcbench.defences.squeezing.median_filter`."""
        return median_filter(images, self.size)


class Averaged(InputTransform):
    """A model that sees non-local means, whose gradient attacks follow."""

    differentiable: ClassVar[bool] = True

    def __init__(self, model: nn.Module, strength: float, search: int, patch: int) -> None:
        super().__init__(model)
        self.strength = strength
        self.search = search
        self.patch = patch

    def transform(self, images: Tensor) -> Tensor:
        """See :func:`hfcbench.defences.squeezing.non_local_means`."""
        return non_local_means(images, self.strength, self.search, self.patch)
