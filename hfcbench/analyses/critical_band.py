"""Accuracy under noise of one octave of frequencies (Subramanian et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from annotated_types import Ge

from hfcbench import hookimpl
from hfcbench.errors import SpecificationError
from hfcbench.hookspecs import Register
from hfcbench.quantities import Analysis, Axis, Quantity, Subject
from hfcbench.types import ImageShape

_SMALLEST = 4


@dataclass(frozen=True)
class CriticalBand:
    """Accuracy under Gaussian noise of each octave of spatial frequency, at several strengths.

    Attributes:
        deviations: standard deviations of the noise in pixel units of [0,1].
    """

    deviations: list[Annotated[float, Ge(0)]] = field(
        default_factory=lambda: [0.0, 0.02, 0.04, 0.08, 0.16]
    )
    attacked: ClassVar[bool] = False

    def check(self, shape: ImageShape) -> None:
        """Raise SpecificationError where the image is too small for two octaves."""
        if min(shape.height, shape.width) < _SMALLEST:
            raise SpecificationError(
                f"critical-band needs images of at least {_SMALLEST}x{_SMALLEST}, not {shape}"
            )

    def measure(self, subject: Subject) -> Sequence[Quantity]:
        """``top1`` by deviation and band, and by band the deviation that halves the accuracy.

        Bands are octaves from the Nyquist frequency down, named by their geometric centres; the
        noise of an image is the same at every strength but for its size. Noisy images are cut off
        at 0 and 1. ``threshold`` is the smallest tested deviation at which accuracy is below half
        of that without noise, NaN where none is.

        Source: Subramanian, Sizikova, Majaj, Pelli 2023, section 3. Deviations: images keep their
        colours and their contrast, which the source lowers to 20%.
        """
        import numpy as np

        from hfcbench.analyses.bands import correct_counts, octaves
        from hfcbench.analyses.subjects import proportion

        bands = octaves(*subject.images.images.shape[2:])
        clean, counts = correct_counts(subject, bands, self.deviations)
        n = len(subject.images)
        centres = tuple(float(np.sqrt(inner * outer)) for inner, outer in bands)
        band_axis = Axis("band-centre", "cycles/image", centres)
        strength = Axis("noise-deviation", "pixel range", tuple(self.deviations))
        below = counts < clean / 2
        deviations = np.array(self.deviations)[:, None]
        thresholds = np.where(below, deviations, np.inf).min(0)
        thresholds[np.isinf(thresholds)] = np.nan
        return [
            proportion("top1", counts, n, (strength, band_axis)),
            Quantity("threshold", "pixel range", thresholds, (band_axis,), n=n),
        ]


@hookimpl
def hfcbench_register_analyses(register: Register[Analysis]) -> None:
    register("critical-band", CriticalBand, version="1")
