"""What a decomposition promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from hfcbench.references import Kind
from hfcbench.testing import samples
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.types import ImageShape

_TOLERANCE = 1e-5


class DecompositionContract(PluginContract):
    """Tests of a decomposition; see :class:`hfcbench.types.Decomposition`.

    Attributes:
        shape: of the images that it is tried on.
        cutoffs: as written in component names, at least two that such images can be cut at.
    """

    kind: ClassVar[Kind] = "decomposition"
    shape: ImageShape = ImageShape(3, 16, 12)
    cutoffs: Sequence[str] = ("2", "4")

    def test_the_parts_add_up_to_the_image(self) -> None:
        """LFC + HFC = x up to rounding, at every cutoff."""
        images = samples.images(self.shape)
        for written, (low, high) in zip(self.cutoffs, self._split(images), strict=True):
            for part in (low, high):
                if part.shape != images.shape or part.dtype != torch.float32:
                    raise self.fail(
                        f"gives a part of shape {tuple(part.shape)}, {part.dtype} "
                        f"for images of shape {tuple(images.shape)}, torch.float32"
                    )
            error = float((low + high - images).abs().amax())
            if not error <= _TOLERANCE:
                raise self.fail(f"has parts at {written} whose sum is off by {error:g}")

    def test_both_parts_hold_something(self) -> None:
        """A cutoff that leaves nothing to split is refused by check()."""
        images = samples.images(self.shape)
        for written, pair in zip(self.cutoffs, self._split(images), strict=True):
            for name, part in zip(self.made().parts, pair, strict=True):
                if float(part.abs().amax()) <= _TOLERANCE:
                    raise self.fail(f"leaves {name}@{written} empty")

    def test_the_same_images_are_split_the_same_way(self) -> None:
        """Twice, alone or in a batch, and whatever other cutoffs are asked for."""
        images = samples.images(self.shape)
        first = self._split(images)
        if not _equal(first, self._split(images), 0):
            raise self.fail("splits the same images differently")
        alone = [self._split(image[None]) for image in images]
        for position, (low, high) in enumerate(first):
            parts = [torch.cat([pairs[position][part] for pairs in alone]) for part in (0, 1)]
            if not _equal([(low, high)], [(parts[0], parts[1])], _TOLERANCE):
                raise self.fail("splits an image differently when others are in its batch")
        single = [self._split(images, [written])[0] for written in self.cutoffs]
        if not _equal(first, single, _TOLERANCE):
            raise self.fail("splits differently where several cutoffs are asked for")

    def test_the_images_stay_as_they_are(self) -> None:
        """They are split again for other components."""
        images = samples.images(self.shape)
        for low, high in self._split(images):
            low.add_(1)
            high.add_(1)
        if not torch.equal(images, samples.images(self.shape)):
            raise self.fail("changes or hands out the images that it is given")

    def test_the_parts_have_names(self) -> None:
        """Two different ones, which component names are made of."""
        parts: Any = self.made().parts
        words = all(isinstance(part, str) and part.isidentifier() for part in parts)
        if not words or len(parts) != 2 or parts[0] == parts[1]:
            raise self.fail(f"calls its parts {parts!r}, not two different words")

    def test_what_is_no_cutoff_is_refused(self) -> None:
        """By SpecificationError, so that suites are checked before anything runs."""
        for text in ("", "much", "-3"):
            if not self.refuses(lambda text=text: self.made().parse(text)):  # type: ignore[misc]
                raise self.fail(f"takes '{text}' for a cutoff")

    def _split(
        self, images: Tensor, written: Sequence[str] | None = None
    ) -> list[tuple[Tensor, Tensor]]:
        decomposition = self.made()
        cutoffs = [decomposition.parse(text) for text in written or self.cutoffs]
        for cutoff in cutoffs:
            decomposition.check(cutoff, self.shape)
        pairs: list[tuple[Tensor, Tensor]] = decomposition.split(images, cutoffs)
        if len(pairs) != len(cutoffs):
            raise self.fail(f"gives {len(pairs)} pairs of parts for {len(cutoffs)} cutoffs")
        return pairs


def _equal(
    first: Sequence[tuple[Tensor, Tensor]], second: Sequence[tuple[Tensor, Tensor]], most: float
) -> bool:
    pairs = zip(first, second, strict=True)
    return all(
        samples.is_close(a, b, most) for one, two in pairs for a, b in zip(one, two, strict=True)
    )
