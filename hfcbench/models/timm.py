"""Every model that timm knows, as ``timm/NAME``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import ImageShape, Model, ModelOptions

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Timm:
    """Any model of timm, with its own initialisation and input normalisation.

    Images are normalised inside the module by the mean and standard deviation that timm states
    for the name, whether its weights are loaded or not, so that both see the same input. Models
    made for one image size are made for the dataset's where they allow it. Dropout, where a
    heuristic asks for it, is timm's ``drop_rate``, which is before the classifier.

    Attributes:
        architecture: a name of ``timm.list_models()``, with or without a tag for its weights.
        pretrained: load the published weights, which timm downloads unless it has them.
    """

    architecture: str
    pretrained: bool = False

    def check(self, shape: ImageShape, classes: int, options: ModelOptions) -> None:
        from hfcbench.models.architectures.timm_checks import check_timm_model

        check_timm_model(self.architecture, self.pretrained, shape, classes, options)

    def build(self, shape: ImageShape, classes: int, options: ModelOptions) -> nn.Module:
        from hfcbench.models.architectures.timm_models import NormalisedTimmModel

        self.check(shape, classes, options)
        return NormalisedTimmModel(
            self.architecture, self.pretrained, shape, classes, options.dropout
        )


@hookimpl
def hfcbench_register_models(register: Register[Model]) -> None:
    register("timm", Timm, version="1", argument="architecture")
