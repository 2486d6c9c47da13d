"""Which images were answered rightly, kept image by image, so that rows can be paired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ImageSet:
    """Which images of a dataset's split; equal for the same images in the same order.

    Attributes:
        fingerprint: of the dataset's content.
        size: number of images in the split.
        n: how many of them, as :func:`hfcbench.sampling.chosen_images` takes them.
        labels_sha256: of their labels; tells apart what was chosen in another way.
    """

    fingerprint: str
    split: str
    size: int
    n: int
    labels_sha256: str


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers to some images.

    Attributes:
        labels: true classes of the images, ``(N,)`` int64.
        right: whether each image was answered rightly, ``(N,)`` bool.
    """

    images: ImageSet
    labels: NDArray[Any]
    right: NDArray[Any]

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return float(self.right.mean())
