"""ResNet-18 for small images."""

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
class ResNet18:
    """ResNet-18 for small images, without BatchNorm; width: filters of its first stage.

    Dropout, where a heuristic asks for it, is before the only fully connected layer.
    """

    width: Annotated[int, Ge(1)] = 64

    def check(self, shape: ImageShape, classes: int, options: ModelOptions) -> None:
        check_image_size("resnet18", shape, smallest=9)

    def build(self, shape: ImageShape, classes: int, options: ModelOptions) -> nn.Module:
        from hfcbench.models.architectures.resnet18 import ResNet18Network

        self.check(shape, classes, options)
        return ResNet18Network(shape, classes, options, self.width)


@hookimpl
def hfcbench_register_models(register: Register[Model]) -> None:
    register("resnet18", ResNet18, version="1")
