"""The low-frequency component as what a model sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Defence, Rescaling

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class LowPass:
    """Show the model only frequencies closer to DC than a radius (the paper's LFC).

    Attributes:
        radius: in cycles per image; images must have frequencies beyond it.
        rescaling: of the component, before the model sees it.
    """

    radius: Annotated[float, Gt(0)] = 8.0
    rescaling: Rescaling = "none"

    def defend(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model behind the filter; see :class:`hfcbench.types.Defence`."""
        from hfcbench.decompositions.fft_radial import FFTRadial
        from hfcbench.defences.transformed_input import ComponentInput
        from hfcbench.frequency.components import Component

        component = Component(FFTRadial(), 0, self.radius, self.rescaling)
        return ComponentInput(model, component).eval()


@hookimpl
def hfcbench_register_defences(register: Register[Defence]) -> None:
    register("low-pass", LowPass, version="1")
