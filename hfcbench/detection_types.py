"""The contracts of object detection between hfcbench and its plugins.

Detection datasets, detectors and their metrics are registered like any other dataset, model and
metric; their ``task`` tells them apart. Importing this module does not load torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from hfcbench.types import DataLocation, DatasetDescription, Score, task_of

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from typing_extensions import TypeIs

TRAINED = "trained"
"""The key of the loss in a detector's curve: the mean over an epoch's batches."""


@dataclass(frozen=True, eq=False)
class Objects:
    """What is to be found in one picture, K objects; all arrays of its length.

    Attributes:
        boxes: ``(K,4)`` float32, left, top, right and bottom edge in pixels of the picture, whose
            own edges are at 0 and at its width and height.
        classes: ``(K,)`` int64, positions in the dataset's class names.
        areas: ``(K,)`` float32 in square pixels, of the object where it is known and otherwise of
            its box; they decide whether it is small, medium or large.
        crowds: ``(K,)`` bool, where a box holds a group: finding it counts neither for nor against
            a detector.
    """

    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    areas: NDArray[np.float32]
    crowds: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.classes)


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of a split, of any size, decoded when it is asked for.

    Attributes:
        name: what people find it by, such as its file name; no two of a split are equal.
        content: the sha256 of its pixels, or of the file that holds them, in hexadecimal.
        read: gives ``(3,H,W)`` uint8 in 0..255, the same at every call.

            Raises:
                DataError: the file is missing, cannot be decoded, or has another size.
    """

    name: str
    height: int
    width: int
    objects: Objects
    content: str
    read: Callable[[], NDArray[np.uint8]]


class DetectionDataset(Protocol):
    """Pictures of any size with boxes, in a ``test`` split and where it has one a ``train`` split.

    Pictures are decoded whenever they are needed; nothing is copied.
    """

    task: ClassVar[Literal["detection"]]

    def prepare(self, location: DataLocation) -> None:
        """Make the files available, downloading them if ``location.download``.

        Raises:
            DataError: the files are missing and may not be downloaded; the hint says how to get
                them.
        """

    def describe(self, location: DataLocation) -> DatasetDescription:
        """Classes, sizes and, as shape, what every picture fits into, of the prepared dataset.

        ``source`` changes whenever any picture's ``content`` or objects would.

        Raises:
            DataError: the annotations cannot be read, or contradict themselves.
        """

    def pictures(self, location: DataLocation, split: str) -> Sequence[Picture]:
        """The pictures of a split in a fixed order; their contents are hashed here."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a detector found in one picture, best first: D detections; tensors on its device.

    Attributes:
        boxes: ``(D,4)`` float32 as in :class:`Objects`.
        scores: ``(D,)`` float32, falling; only their order counts.
        classes: ``(D,)`` int64, positions in the class names that the detector was built for.
    """

    boxes: torch.Tensor
    scores: torch.Tensor
    classes: torch.Tensor


@dataclass(frozen=True, eq=False)
class Target:
    """What a detector is to learn of one picture: ``boxes`` ``(K,4)`` float32 as in
    :class:`Objects`, none of them empty and no crowds, and ``classes`` ``(K,)`` int64, on the
    detector's device. K may be 0."""

    boxes: torch.Tensor
    classes: torch.Tensor


class DetectorModule(Protocol):
    """What a detector builds: a ``torch.nn.Module`` with these two methods.

    Resizing, channel order and normalisation lie inside it, so that pictures go in as they are and
    boxes come out in their pixels.
    """

    def __call__(self, images: torch.Tensor) -> list[Found]:
        """At most 100 detections of each of some pictures of one size.

        Args:
            images: ``(N,3,H,W)`` float32; pictures in [0,1], RGB. Components may lie outside it.
        """

    def loss(self, images: Sequence[torch.Tensor], targets: Sequence[Target]) -> torch.Tensor:
        """The loss of a batch in training mode, a scalar to be minimised.

        Args:
            images: ``(3,H,W)`` float32 each, of any sizes.
        """


class Detector(Protocol):
    """An architecture that finds objects."""

    task: ClassVar[Literal["detection"]]

    def check(self, classes: Sequence[str]) -> None:
        """Raise SpecificationError if this detector cannot be had for these classes.

        A detector with trained weights must know each of them by name.
        """

    def files_sha256(self, location: DataLocation) -> str | None:
        """The sha256 of all files that its parameters name; None where they name none.

        It is part of every identity, since the same path may hold other weights tomorrow.

        Raises:
            DataError: one of them is missing.
        """

    def build(self, classes: Sequence[str], location: DataLocation) -> torch.nn.Module:
        """A :class:`DetectorModule`, freshly initialised or with its trained weights.

        Random initialisation draws from torch's global generator.

        Raises:
            NodeError: the weights cannot be had.
        """


def is_detector(model: object) -> TypeIs[Detector]:
    """Whether a model finds objects instead of classifying images."""
    return task_of(model) == "detection"


@dataclass(frozen=True, eq=False)
class PictureSet:
    """The pictures that a detector was asked about, with what is in them: M objects in N pictures.

    Attributes:
        names: of the pictures.
        heights, widths: ``(N,)`` int64 in pixels.
        counts: ``(N,)`` int64, objects of each picture; those of the first come first.
        boxes, classes, areas, crowds: of all objects, as in :class:`Objects`.
        class_names: of the dataset.
    """

    names: tuple[str, ...]
    heights: NDArray[np.int64]
    widths: NDArray[np.int64]
    counts: NDArray[np.int64]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    areas: NDArray[np.float32]
    crowds: NDArray[np.bool_]
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class Detections:
    """What a detector found in each picture of a set: D detections, best first in each picture.

    Attributes:
        pictures: what it was asked about.
        counts: ``(N,)`` int64, detections in each picture; those in the first come first.
        boxes: ``(D,4)`` float32 as in :class:`Objects`.
        scores: ``(D,)`` float32.
        classes: ``(D,)`` int64, positions in the class names.
        cache: where metrics keep what they compute of these detections for each other.
    """

    pictures: PictureSet
    counts: NDArray[np.int64]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]
    cache: dict[str, object] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True, eq=False)
class DetectionScores:
    """A metric over all pictures, over each class and over each picture alone.

    Attributes:
        total: with its interval over pictures.
        classes: by class name, where the metric means anything; ``n`` counts objects.
        pictures: ``(N,)`` float64; NaN for a picture that it means nothing for, such as one without
            objects. None where the metric is not kept for each.
    """

    total: Score
    classes: Mapping[str, Score] = field(default_factory=dict)
    pictures: NDArray[np.float64] | None = None


class DetectionMetric(Protocol):
    """A number computed from stored detections.

    Attributes:
        higher_is_better: which end of a ranking is the good one.
    """

    task: ClassVar[Literal["detection"]]
    higher_is_better: ClassVar[bool]

    def score(self, detections: Detections) -> DetectionScores:
        """The metric over these detections."""
