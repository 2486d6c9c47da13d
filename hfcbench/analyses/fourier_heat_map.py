"""Fourier heat map: error under noise of each single frequency (Yin et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Gt

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.quantities import Analysis, Axis, Quantity, Subject
from hfcbench.types import ImageShape


@dataclass(frozen=True)
class FourierHeatMap:
    """Error of a model when noise of one frequency is added to every image.

    Attributes:
        norm: L2 norm of the noise in each channel, in pixel units of [0,1]; 4 is that of the
            published maps of 32x32 images.
    """

    norm: Annotated[float, Gt(0)] = 4.0
    attacked: ClassVar[bool] = False

    def check(self, shape: ImageShape) -> None:
        """Every image has frequencies."""

    def measure(self, subject: Subject) -> Sequence[Quantity]:
        """Error per frequency, on clean images, and per distance from DC.

        The noise is a basis image times ``norm``, with a sign drawn for every image and channel;
        it is added to pixels in [0,1], before the model's own normalisation, and the sum is cut off
        at 0 and 1. ``error`` is laid out with DC at ``(H // 2, W // 2)``; mirrored frequencies
        are the same noise and are measured once.

        Source: Yin et al. 2019, section 2.2.
        """
        import numpy as np

        from hfcbench.analyses.heat_maps import error_counts, ring_means
        from hfcbench.analyses.subjects import proportion

        clean, counts = error_counts(subject, self.norm)
        n = len(subject.images)
        height, width = counts.shape
        axes = tuple(
            Axis(f"{way}-frequency", "cycles/image", tuple(np.arange(size) - size // 2.0))
            for way, size in (("vertical", height), ("horizontal", width))
        )
        means = ring_means(counts / n)
        radii = Axis("radius", "cycles/image", tuple(float(r) for r in range(len(means))))
        return [
            proportion("error", counts, n, axes),
            proportion("clean-error", np.array(clean), n),
            Quantity("error-by-radius", "", means, (radii,), n=n),
        ]


@hookimpl
def hfcbench_register_analyses(register: Register[Analysis]) -> None:
    register("fourier-heat-map", FourierHeatMap, version="1")
