"""LeNet-5 for small images."""

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
class LeNet5:
    """LeNet-5 with ReLU and max pooling; width: filters of its first convolution.

    Dropout, where a heuristic asks for it, is before each fully connected layer.
    """

    width: Annotated[int, Ge(1)] = 6

    def check(self, shape: ImageShape, classes: int, options: ModelOptions) -> None:
        check_image_size("lenet5", shape, smallest=12)

    def build(self, shape: ImageShape, classes: int, options: ModelOptions) -> nn.Module:
        from hfcbench.models.architectures.lenet5 import lenet5

        self.check(shape, classes, options)
        return lenet5(shape, classes, options, self.width)


@hookimpl
def hfcbench_register_models(register: Register[Model]) -> None:
    register("lenet5", LeNet5, version="1")
