"""VGG-11 and VGG-16 for small images."""

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

_SMALLEST = 17


@dataclass(frozen=True)
class Vgg11:
    """VGG-11 for small images; width: filters of its first convolution.

    Dropout, where a heuristic asks for it, is before each fully connected layer.
    """

    width: Annotated[int, Ge(1)] = 64

    def check(self, shape: ImageShape, classes: int, options: ModelOptions) -> None:
        check_image_size("vgg11", shape, _SMALLEST)

    def build(self, shape: ImageShape, classes: int, options: ModelOptions) -> nn.Module:
        from hfcbench.models.architectures.vgg import vgg

        self.check(shape, classes, options)
        return vgg(11, shape, classes, options, self.width)


@dataclass(frozen=True)
class Vgg16:
    """VGG-16 for small images; width: filters of its first convolution.

    Dropout, where a heuristic asks for it, is before each fully connected layer.
    """

    width: Annotated[int, Ge(1)] = 64

    def check(self, shape: ImageShape, classes: int, options: ModelOptions) -> None:
        check_image_size("vgg16", shape, _SMALLEST)

    def build(self, shape: ImageShape, classes: int, options: ModelOptions) -> nn.Module:
        from hfcbench.models.architectures.vgg import vgg

        self.check(shape, classes, options)
        return vgg(16, shape, classes, options, self.width)


@hookimpl
def hfcbench_register_models(register: Register[Model]) -> None:
    register("vgg11", Vgg11, version="1")
    register("vgg16", Vgg16, version="1")
