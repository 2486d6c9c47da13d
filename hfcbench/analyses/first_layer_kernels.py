"""The kernels that look at the image, and how smooth they are (paper, section 6.2, figure 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.quantities import Analysis, Quantity, Subject
from hfcbench.types import ImageShape


@dataclass(frozen=True)
class FirstLayerKernels:
    """The first convolution's kernels and the share of their energy at high frequencies.

    Attributes:
        padding: kernels are zero-padded to squares of this many pixels, so that their spectra
            compare whatever their sizes.
    """

    padding: Annotated[int, Ge(8)] = 32
    attacked: ClassVar[bool] = False

    def check(self, shape: ImageShape) -> None:
        """Only the model decides whether there are kernels."""

    def measure(self, subject: Subject) -> Sequence[Quantity]:
        """``kernels`` ``(O,I,kH,kW)`` as the model applies them, and what their spectra say.

        ``spectral-energy-beyond`` is the share of all filters' spectral energy at and beyond
        relative frequencies, of which 1 is the Nyquist frequency along an axis;
        ``high-frequency-share`` is that beyond one half. Intervals are of a bootstrap over
        filters. A constant kernel of 3x3 has a share of 0.20, a single pixel one of 0.81.

        Raises:
            NodeError: the model calls no convolution, or its kernels exceed the padding.
        """
        from hfcbench.analyses.kernels import first_kernels, kernel_quantities

        kernels = first_kernels(subject)
        return kernel_quantities(kernels, self.padding, subject.seed)


@hookimpl
def hfcbench_register_analyses(register: Register[Analysis]) -> None:
    register("first-layer-kernels", FirstLayerKernels, version="1")
