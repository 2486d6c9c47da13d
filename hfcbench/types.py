"""The contracts between hfcbench and its plugins.

A plugin author implements one of the protocols below and declares the result through a hook
(see :mod:`hfcbench.hookspecs`). Importing this module loads neither torch nor a database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    ClassVar,
    Literal,
    Protocol,
    TypeAlias,
    runtime_checkable,
)

from hfcbench.errors import SpecificationError
from hfcbench.sampling import chosen_images

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"

Cutoff: TypeAlias = float | tuple[float, float]
"""Where a decomposition cuts: a radius or rank, or an (inner, outer) pair."""

Rescaling: TypeAlias = Literal["none", "max", "minmax", "clip", "mean"]
Task: TypeAlias = Literal["classification", "detection"]
Precision: TypeAlias = Literal["float32", "bfloat16"]
"""What a model's convolutions and products compute in while gradients are taken."""

Augmentation: TypeAlias = Literal["none", "flip", "crop-flip"]


class BelowDataRoot:
    """Marks a parameter that is a path: suites may name only what lies below the data root."""


DataPath: TypeAlias = Annotated[str, BelowDataRoot]
"""The type of a parameter that names a file or folder; :meth:`DataLocation.find` opens it.

A suite, which others may have written, can only name what lies below the data root; the user can
name anything on the command line. Parts of a type may be paths, as in ``DataPath | None``.
"""


@dataclass(frozen=True, slots=True)
class ImageShape:
    """Channels, height and width of a dataset's images, in pixels."""

    channels: int
    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.channels}x{self.height}x{self.width}"


@dataclass(frozen=True, slots=True)
class DataLocation:
    """Where datasets lie on disk (``root``) and whether missing ones may be downloaded there."""

    root: Path | None = None
    download: bool = False

    def find(self, path: str) -> Path:
        """Where a :data:`DataPath` leads: absolute, or below ``root``, or from the working folder.

        The working folder counts where nothing lies below ``root``. What it leads to may be
        missing.
        """
        given = Path(os.path.expanduser(path))
        under_root = (self.root or Path()) / given
        # Unlike pathlib's, these take any text, however long, for a file that is not there.
        if not os.path.exists(under_root) and os.path.exists(given):
            return given
        return under_root


@dataclass(frozen=True)
class DatasetDescription:
    """What a dataset holds, known without decoding its images.

    Attributes:
        classes: class names in the order of their labels.
        shape: the shape of every image; where they differ in size, the smallest that each of them
            fits into.
        sizes: number of images per split, e.g. ``{"train": 50000, "test": 10000}``.
        source: any text that changes when the underlying files change; with the component's
            version and parameters it tells whether a decoded copy is still current.
        task: what the dataset is for.
    """

    classes: tuple[str, ...]
    shape: ImageShape
    sizes: Mapping[str, int]
    source: str
    task: Task = "classification"


def task_of(part: object) -> Task:
    """What a dataset, model or metric is for: its ``task``, or classification if it has none."""
    task: Task = getattr(part, "task", "classification")
    return task


@dataclass(frozen=True)
class ImageSplit:
    """One decoded split: images ``(N,C,H,W)`` uint8 in 0..255 and labels ``(N,)`` int64.

    The arrays may be read-only memory maps; [0,1] pixel values are images / 255.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def sample(self, count: int | None) -> ImageSplit:
        """The same random ``count`` images at every call, in their order; None is all of them."""
        if count is None or count >= len(self):
            return self
        chosen = self.choice(count)
        return ImageSplit(self.images[chosen], self.labels[chosen])

    def choice(self, count: int | None) -> NDArray[np.int64]:
        """The positions ``(count,)`` of what :meth:`sample` takes, in ascending order."""
        return chosen_images(len(self), count)


class Dataset(Protocol):
    """Labelled images with a ``train`` and a ``test`` split.

    Images are decoded once into a cache that hfcbench owns; :meth:`read` is called for that only.
    """

    def prepare(self, location: DataLocation) -> None:
        """Make the files available, downloading them if ``location.download``.

        Raises:
            DataError: the files are missing and may not be downloaded; the hint holds the
                command that gets them.
        """

    def describe(self, location: DataLocation) -> DatasetDescription:
        """Classes, shape and sizes of the prepared dataset."""

    def read(
        self, location: DataLocation, split: str
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Yield chunks of images ``(N,C,H,W)`` uint8 in 0..255 and labels ``(N,)`` int64."""


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What heuristics ask of an architecture.

    Attributes:
        batchnorm: put BatchNorm behind every convolution.
        dropout: probability of dropping an activation before fully connected layers, in [0,1).
    """

    batchnorm: bool = False
    dropout: float = 0.0


class Model(Protocol):
    """An architecture. Its module takes ``(N,C,H,W)`` float images in [0,1], returns logits.

    Any normalisation of the input lies inside the module, so that every epsilon is in pixel units.
    """

    def check(self, shape: ImageShape, classes: int, options: ModelOptions) -> None:
        """Raise SpecificationError if this architecture cannot take such images or options."""

    def build(self, shape: ImageShape, classes: int, options: ModelOptions) -> torch.nn.Module:
        """A freshly initialised module; draws from torch's global generator."""


@dataclass(frozen=True)
class Schedule:
    """How a model is trained; the defaults are the paper's vanilla set-up (section 4.2).

    Attributes:
        optimizer: the name of a class in :mod:`torch.optim`.
        learning_rate: passed to the optimizer as ``lr``; None leaves the optimizer's default.
        optimizer_options: further keyword arguments of that class.
        augmentation: ``flip`` mirrors left and right at random; ``crop-flip``, which detectors are
            not trained with, pads by 4 pixels, crops at random and mirrors at random.
        precision: ``bfloat16`` trains faster on GPUs and on CPUs with AMX or AVX512-BF16, and
            slower on others. Weights and evaluations are float32 either way.
    """

    epochs: int = 100
    batch_size: int = 100
    optimizer: str = "Adam"
    learning_rate: float | None = 1e-4
    optimizer_options: Mapping[str, JSON] = field(default_factory=dict)
    augmentation: Augmentation = "none"
    precision: Precision = "float32"


@dataclass(frozen=True)
class Recipe:
    """All that heuristics may change before a training starts.

    Attributes:
        claims: which heuristic decides what, e.g. ``{"the batch size": "batch-size"}``.
    """

    schedule: Schedule = Schedule()
    options: ModelOptions = ModelOptions()
    claims: Mapping[str, str] = field(default_factory=dict, compare=False)

    def claimed(self, setting: str, heuristic: str) -> Recipe:
        """The recipe with ``setting``, such as "the batch size", decided by ``heuristic``.

        Raises:
            SpecificationError: another heuristic of the combination decides it already.
        """
        other = self.claims.get(setting)
        if other is not None:
            raise SpecificationError(
                f"two heuristics of one training decide {setting}: '{other}' and '{heuristic}'",
                hint="name one of them",
            )
        return replace(self, claims={**self.claims, setting: heuristic})


@dataclass(frozen=True, slots=True)
class Batch:
    """One training batch: images ``(B,C,H,W)`` in [0,1], targets ``(B,K)`` that sum to 1."""

    images: torch.Tensor
    targets: torch.Tensor


class Heuristic:
    """A named change to how a model is trained. Subclasses override what they change."""

    def configure(self, recipe: Recipe) -> Recipe:
        """The recipe with this heuristic's changes to schedule and architecture.

        Raises:
            SpecificationError: the recipe already holds something that contradicts it.
        """
        return recipe

    def check(self, recipe: Recipe) -> None:
        """Raise SpecificationError if the complete recipe leaves this heuristic without effect.

        Called once all heuristics of a training have configured it, in whichever order.
        """

    def relabel(
        self, labels: torch.Tensor, classes: int, generator: torch.Generator
    ) -> torch.Tensor:
        """Training labels ``(N,)`` int64 as this heuristic wants them; called once.

        Here they are in the order of :meth:`label_order`, if it gives one.
        """
        order = self.label_order(len(labels), generator)
        return labels if order is None else labels[order]

    def label_order(self, count: int, generator: torch.Generator) -> torch.Tensor | None:
        """The order that this heuristic puts labels into, where it does nothing else to them.

        Returns:
            A permutation ``(count,)`` int64 on the CPU, whose place i says which image's label
            image i gets, the same for equal states of the generator; it is kept with the training.
            None where there is no such order.
        """
        return None

    def transform(self, batch: Batch, model: torch.nn.Module, generator: torch.Generator) -> Batch:
        """The batch that the model is trained on; called for every batch after augmentation."""
        return batch

    def loss(
        self, batch: Batch, model: torch.nn.Module, generator: torch.Generator
    ) -> torch.Tensor | None:
        """The mean loss of a batch, a scalar to be minimised; None leaves it to others.

        Where no heuristic decides, it is the cross-entropy against the batch's targets. Only one of
        a training may: whoever overrides this claims ``"the loss"`` in :meth:`configure`.

        Args:
            batch: as the transforms of all heuristics left it, in whichever order they stand.
            model: in training mode, and so afterwards.
            generator: the one that :meth:`transform` gets, on the images' device.
        """
        return None


class Decomposition(Protocol):
    """A split of images into a low and a high part that add up to the image.

    Attributes:
        parts: what the two parts are called in component names, e.g. ``("lfc", "hfc")``.
    """

    parts: tuple[str, str]

    def parse(self, text: str) -> Cutoff:
        """The cutoff written in a component name such as ``lfc@8``.

        Raises:
            SpecificationError: the text is not a cutoff of this decomposition.
        """

    def check(self, cutoff: Cutoff, shape: ImageShape) -> None:
        """Raise SpecificationError if the cutoff leaves nothing to split in such images."""

    def split(
        self, images: torch.Tensor, cutoffs: Sequence[Cutoff]
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """For each cutoff the low and high part ``(N,C,H,W)`` float32; their sum is ``images``."""


class Defence(Protocol):
    """A change to a trained model that needs no further training.

    With gradients enabled, a defended module is what attacks climb: where a step of it has no
    useful gradient it passes an approximation on (BPDA), and where it draws at random it averages
    over draws (EOT). Modules that do so have an attribute ``adaptive`` to turn it off; see
    :mod:`hfcbench.defence_modules`. Random modules draw from torch's global generator only, which
    is seeded for every batch.
    """

    def defend(self, model: torch.nn.Module) -> torch.nn.Module:
        """The defended model, in evaluation mode; ``model`` itself is left as it was."""


@dataclass(frozen=True)
class Predictions:
    """What a model answered for each image of a split, all arrays ``(N,)``.

    Attributes:
        labels: true classes, int64.
        predicted: most probable classes, int64; -1, which is never right, where the model gave no
            probabilities (NaN among its logits).
        confidence: softmax probability of the predicted class, float32 in [0,1]; NaN where there
            is none.
        loss: cross-entropy against the true class in nats, float32; NaN where there is none.
    """

    labels: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float32]
    loss: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Score:
    """A metric's value with its 95% interval and the number of images behind it."""

    value: float
    low: float
    high: float
    n: int


class Metric(Protocol):
    """A number computed from stored per-image predictions.

    Attributes:
        higher_is_better: which end of a ranking is the good one.
    """

    higher_is_better: ClassVar[bool]

    def score(self, predictions: Predictions) -> Score:
        """The metric over these predictions."""


@runtime_checkable
class SuiteSource(Protocol):
    """A readable YAML document: a ``pathlib.Path`` or an ``importlib.resources`` file."""

    @property
    def name(self) -> str: ...

    def read_text(self, encoding: str | None = None) -> str: ...
