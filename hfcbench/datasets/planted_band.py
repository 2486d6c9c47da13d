"""planted-band: synthetic images whose class evidence lies in a known ring of frequencies.

Whatever measures frequency reliance must give the known answer here: with evidence inside a radius
only, the low-frequency component beyond it scores as the original and the rest is chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Interval
from numpy.typing import NDArray

from hfcbench import hookimpl
from hfcbench.errors import SpecificationError
from hfcbench.hookspecs import Register
from hfcbench.types import DataLocation, Dataset, DatasetDescription, ImageShape

_CHUNK = 1000

# The largest deviation from grey: pixels are never cut, which would make new frequencies.
_LARGEST = 0.498
# The part of it that noise needs at least, whatever the patterns take.
_LEAST_ROOM = 0.03


@dataclass(frozen=True)
class PlantedBand:
    """Synthetic grey images with class evidence in one ring of frequencies: a known answer.

    Each class has a fixed pattern whose frequencies f satisfy ``inner <= f < outer`` (Euclidean
    distance to the DC bin); each image adds noise whose frequencies lie outside of that ring. The
    noise is the same for every class, and strong enough that rounding to whole pixel values
    carries no trace of the pattern into other frequencies.

    Attributes:
        inner, outer: radii of the ring, in bins.
        train_per_class, test_per_class: images of each class.
        size: height and width in pixels.
        seed: of patterns and noise.
        evidence, noise: standard deviations of pattern and noise, in pixel units of [0,1]; an
            image whose noise would leave [0,1] gets less of it.
    """

    inner: Annotated[float, Ge(1)] = 1
    outer: Annotated[float, Gt(1)] = 6
    classes: Annotated[int, Ge(2)] = 10
    train_per_class: Annotated[int, Ge(1)] = 200
    test_per_class: Annotated[int, Ge(1)] = 50
    size: Annotated[int, Interval(ge=8, le=512)] = 32
    evidence: Annotated[float, Interval(gt=0, le=0.2)] = 0.08
    noise: Annotated[float, Interval(ge=0.01, le=0.2)] = 0.05
    seed: Annotated[int, Ge(0)] = 0

    def prepare(self, location: DataLocation) -> None:
        """Nothing to fetch.

        Raises:
            SpecificationError: a ring that holds no frequency of such images, or evidence so
                strong that it leaves no room for noise.
        """
        if not self._ring().any():
            raise SpecificationError(
                f"no frequency of {self.size}x{self.size} images lies from {self.inner:g} "
                f"to {self.outer:g}"
            )
        largest = np.abs(self._patterns()).max()
        if largest > _LARGEST - _LEAST_ROOM:
            most = self.evidence * (_LARGEST - _LEAST_ROOM) / largest
            raise SpecificationError(
                f"evidence {self.evidence:g} leaves no room for noise in pixels from 0 to 1; "
                f"with this ring, size and seed it may be {np.floor(most * 1000) / 1000:g} at most"
            )

    def describe(self, location: DataLocation) -> DatasetDescription:
        """Grey square images."""
        return DatasetDescription(
            classes=tuple(f"pattern-{number}" for number in range(self.classes)),
            shape=ImageShape(1, self.size, self.size),
            sizes={
                "train": self.classes * self.train_per_class,
                "test": self.classes * self.test_per_class,
            },
            source="synthetic, drawn with NumPy's default generator",
        )

    def read(
        self, location: DataLocation, split: str
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Images in the order of the classes."""
        per_class = self.train_per_class if split == "train" else self.test_per_class
        patterns = self._patterns()
        labels = np.repeat(np.arange(self.classes), per_class)
        draw = np.random.default_rng((self.seed, 1 if split == "train" else 2))
        room = _LARGEST - np.abs(patterns).max()
        for start in range(0, len(labels), _CHUNK):
            chunk = labels[start : start + _CHUNK]
            white = draw.standard_normal((len(chunk), self.size, self.size))
            deviation = patterns[chunk] + self._noise(white, room)
            pixels = np.round((0.5 + deviation) * 255).astype(np.uint8)
            yield pixels[:, None], chunk

    def _noise(self, white: NDArray[np.float64], room: float) -> NDArray[np.float64]:
        """Noise ``(N,size,size)`` outside of the ring, nowhere beyond ``room``."""
        kept = ~self._ring()
        kept[0, 0] = False
        noise = _filtered(white, kept)
        if kept.any():
            noise *= self.noise / np.sqrt(kept.mean())
        # The room is that beside the largest pattern of all classes: how much is left of the
        # noise must not depend on an image's class.
        largest = np.maximum(np.abs(noise).max(axis=(1, 2), keepdims=True), room)
        noise *= room / largest
        return noise

    def _patterns(self) -> NDArray[np.float64]:
        """The evidence ``(classes,size,size)``, with mean 0 and the asked standard deviation."""
        draw = np.random.default_rng((self.seed, 0))
        white = draw.standard_normal((self.classes, self.size, self.size))
        patterns = _filtered(white, self._ring())
        patterns *= self.evidence / patterns.std(axis=(1, 2), keepdims=True)
        return patterns

    def _ring(self) -> NDArray[np.bool_]:
        """Which bins of ``fft2`` lie in the ring."""
        bins = np.fft.fftfreq(self.size) * self.size
        distance = np.hypot(bins[:, None], bins[None, :])
        ring: NDArray[np.bool_] = (self.inner <= distance) & (distance < self.outer)
        return ring


def _filtered(images: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Real images ``(N,H,W)`` with only the kept bins of their ``fft2``."""
    filtered: NDArray[np.float64] = np.fft.ifft2(np.fft.fft2(images) * kept).real
    return filtered


@hookimpl
def hfcbench_register_datasets(register: Register[Dataset]) -> None:
    register("planted-band", PlantedBand, version="1")
