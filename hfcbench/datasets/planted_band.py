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


@dataclass(frozen=True)
class PlantedBand:
    """Synthetic grey images with class evidence in one ring of frequencies: a known answer.

    Each class has a fixed pattern whose frequencies f satisfy ``inner <= f < outer`` (Euclidean
    distance to the DC bin); each image adds noise whose frequencies lie outside of that ring.

    Attributes:
        inner, outer: radii of the ring, in bins.
        evidence, noise: standard deviations of pattern and noise, in pixel units of [0,1].
    """

    inner: Annotated[float, Ge(1)] = 1
    outer: Annotated[float, Gt(1)] = 6
    classes: Annotated[int, Ge(2)] = 10
    train_per_class: Annotated[int, Ge(1)] = 200
    test_per_class: Annotated[int, Ge(1)] = 50
    size: Annotated[int, Interval(ge=8, le=512)] = 32
    evidence: Annotated[float, Interval(gt=0, le=0.3)] = 0.08
    noise: Annotated[float, Interval(ge=0, le=0.3)] = 0.06
    seed: Annotated[int, Ge(0)] = 0

    def prepare(self, location: DataLocation) -> None:
        """Nothing to fetch.

        Raises:
            SpecificationError: a ring that holds no frequency of such images.
        """
        if not self._ring().any():
            raise SpecificationError(
                f"no frequency of {self.size}x{self.size} images lies from {self.inner:g} "
                f"to {self.outer:g}"
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
            source="synthetic",
        )

    def read(
        self, location: DataLocation, split: str
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Images in the order of the classes."""
        per_class = self.train_per_class if split == "train" else self.test_per_class
        patterns = self._patterns()
        labels = np.repeat(np.arange(self.classes), per_class)
        draw = np.random.default_rng((self.seed, 1 if split == "train" else 2))
        for start in range(0, len(labels), _CHUNK):
            chunk = labels[start : start + _CHUNK]
            white = draw.standard_normal((len(chunk), self.size, self.size))
            noise = _filtered(white, ~self._ring()) * self.noise
            deviation = patterns[chunk] + noise
            largest = np.abs(deviation).max(axis=(1, 2), keepdims=True)
            deviation *= np.minimum(1, _LARGEST / largest)
            pixels = np.round((0.5 + deviation) * 255).astype(np.uint8)
            yield pixels[:, None], chunk

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
    """Real images ``(N,H,W)`` with only the kept bins; DC is never one of them."""
    spectrum = np.fft.fft2(images) * kept
    spectrum[:, 0, 0] = 0
    filtered: NDArray[np.float64] = np.fft.ifft2(spectrum).real
    return filtered


@hookimpl
def hfcbench_register_datasets(register: Register[Dataset]) -> None:
    register("planted-band", PlantedBand, version="1")
