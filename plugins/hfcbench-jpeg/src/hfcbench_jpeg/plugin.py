"""The defence `jpeg`, declared to hfcbench."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Interval

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Defence

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Jpeg:
    """Compress every image as JPEG before the model; gradients pass straight through.

    Source: Guo, Rana, Cisse, van der Maaten 2018, "Countering adversarial images using input
    transformations".

    Attributes:
        quality: of the codec, from 1 to 100, which keeps nearly everything.
    """

    quality: Annotated[int, Interval(ge=1, le=100)] = 75

    def defend(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model behind a JPEG codec; see :class:`hfcbench.types.Defence`."""
        from hfcbench_jpeg.compression import Compressed

        return Compressed(model, self.quality).eval()


@hookimpl
def hfcbench_register_defences(register: Register[Defence]) -> None:
    register("jpeg", Jpeg, version="2")
