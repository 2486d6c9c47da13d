"""The paper's reference network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.models.image_size import check_image_size
from hfcbench.types import ImageShape, Model, ModelOptions

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class PreactResNet32:
    """The paper's pre-activation network without BatchNorm; width: filters of its first stage.

    Dropout, where a heuristic asks for it, is before the only fully connected layer.
    """

    width: Annotated[int, Ge(1)] = 16

    def check(self, shape: ImageShape, classes: int, options: ModelOptions) -> None:
        check_image_size("preact-resnet32", shape, smallest=5)

    def build(self, shape: ImageShape, classes: int, options: ModelOptions) -> nn.Module:
        from hfcbench.models.architectures.preact_resnet import PreactResNet32Network

        self.check(shape, classes, options)
        return PreactResNet32Network(shape, classes, options, self.width)


@hookimpl
def hfcbench_register_models(register: Register[Model]) -> None:
    register("preact-resnet32", PreactResNet32, version="1")
