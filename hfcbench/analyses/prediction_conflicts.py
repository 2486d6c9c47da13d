"""Images whose prediction follows one component and not the other (paper, figure 2, section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.quantities import Analysis, Quantity, Subject
from hfcbench.types import Decomposition, ImageShape, Rescaling


@dataclass(frozen=True)
class PredictionConflicts:
    """How many predictions follow the HFC and not the LFC, or the reverse, with examples.

    Attributes:
        cutoff: the radius in cycles per image, or the number of leading singular values.
        method: how images are split.
        rescaling: of both components, before the model sees them.
        examples: at most that many images of each kind are kept.
    """

    cutoff: Annotated[float, Gt(0)] = 12.0
    method: Literal["fourier", "svd"] = "fourier"
    rescaling: Rescaling = "max"
    examples: Annotated[int, Ge(0)] = 8
    attacked: ClassVar[bool] = False

    def check(self, shape: ImageShape) -> None:
        """Raise SpecificationError if the cutoff leaves nothing to split, or is no rank."""
        decomposition = self.decomposition()
        decomposition.check(decomposition.parse(f"{self.cutoff:g}"), shape)

    def decomposition(self) -> Decomposition:
        """What the images are split by."""
        from hfcbench.decompositions.fft_radial import FFTRadial
        from hfcbench.decompositions.svd import SVD

        return FFTRadial() if self.method == "fourier" else SVD()

    def measure(self, subject: Subject) -> Sequence[Quantity]:
        """Shares of all images, with Wilson's intervals, and the most confident examples.

        With f the predicted class and y the label: ``follows-high`` has f(x) = f(HFC) and
        f(LFC) other, ``follows-low`` the reverse, ``follows-both`` and ``follows-neither`` the
        rest; ``paper-high`` and ``paper-low`` are the first two with f(x) = y, as in figure 2, and
        ``paper-neither`` has f(x) = y with f(LFC) and f(HFC) other.

        For each of those three kinds, ranked by the smallest of the three confidences: pixels
        ``high-examples`` ``(E,C,H,W)`` uint8, ``high-positions`` ``(E,)`` among the images,
        ``high-answers`` and ``high-confidences`` ``(E,3)`` for original, LFC and HFC, and
        ``high-labels`` ``(E,)``; likewise ``low-...`` and ``neither-...``. None are returned of a
        kind that does not occur.
        """
        from hfcbench.analyses.conflicts import answers_to, conflict_quantities

        found = answers_to(subject, self.decomposition(), self.cutoff, self.rescaling)
        return conflict_quantities(subject.images, *found, self.examples)


@hookimpl
def hfcbench_register_analyses(register: Register[Analysis]) -> None:
    register("prediction-conflicts", PredictionConflicts, version="1")
