"""The leading singular values as what a model sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Defence

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class SVDDenoising:
    """Keep the leading singular values of each channel and drop the rest as noise.

    Source: none as a defence; the paper, section 8, decomposes images so.

    Attributes:
        rank: how many are kept; images must have more.
    """

    rank: Annotated[int, Ge(1)] = 8

    def defend(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model behind the truncation; see :class:`hfcbench.types.Defence`."""
        from hfcbench.decompositions.svd import SVD
        from hfcbench.defences.transformed_input import ComponentInput
        from hfcbench.frequency.components import Component

        return ComponentInput(model, Component(SVD(), 0, self.rank)).eval()


@hookimpl
def hfcbench_register_defences(register: Register[Defence]) -> None:
    register("svd-denoising", SVDDenoising, version="1")
