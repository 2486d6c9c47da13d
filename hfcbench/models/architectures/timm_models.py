"""timm's models behind hfcbench's contract: images in [0,1] in, logits out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import timm
import torch
from torch import nn

from hfcbench.errors import NodeError
from hfcbench.types import ImageShape

_WEIGHTS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


class NormalisedTimmModel(nn.Module):
    """A timm model and the normalisation of its input.

    Takes ``(N,C,H,W)`` float images in [0,1], returns logits ``(N,classes)``. The model sees
    ``(images - mean) / std`` with the values of its pretrained configuration; where the dataset
    has another number of channels, with their means over the configuration's channels.

    Raises:
        NodeError: the pretrained weights could not be had.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self, architecture: str, pretrained: bool, shape: ImageShape, classes: int, dropout: float
    ) -> None:
        super().__init__()
        arguments = timm_arguments(architecture, shape, classes, dropout)
        if pretrained:
            self.network = _with_weights(architecture, arguments)
        else:
            self.network = timm.create_model(architecture, **arguments)
        configuration: Any = self.network.pretrained_cfg
        self.register_buffer("mean", _per_channel(configuration["mean"], shape.channels))
        self.register_buffer("std", _per_channel(configuration["std"], shape.channels))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.network((images - self.mean) / self.std)
        return logits


def timm_arguments(
    architecture: str, shape: ImageShape, classes: int, dropout: float
) -> dict[str, Any]:
    """The arguments of ``timm.create_model`` that fit a model to images, classes and dropout."""
    arguments: dict[str, Any] = {"num_classes": classes, "in_chans": shape.channels}
    configuration = timm.get_pretrained_cfg(architecture)
    if configuration is not None and configuration.fixed_input_size:
        arguments["img_size"] = (shape.height, shape.width)
    if dropout > 0:
        arguments["drop_rate"] = dropout
    return arguments


def _with_weights(architecture: str, arguments: dict[str, Any]) -> nn.Module:
    # timm may fetch by several libraries, each with its own errors and none with a common base.
    try:
        with _nothing_but_weights():
            return timm.create_model(architecture, pretrained=True, **arguments)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise NodeError(
            f"the weights of 'timm/{architecture}' could not be loaded: {reason}",
            hint="they are downloaded once; run it where the network can be reached",
        ) from error


@contextmanager
def _nothing_but_weights() -> Iterator[None]:
    """Let torch.load refuse pickles that are more than weights, whatever timm asks of it.

    timm's versions differ in where they ask for ``weights_only``.
    """
    before = os.environ.get(_WEIGHTS_ONLY)
    os.environ[_WEIGHTS_ONLY] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_WEIGHTS_ONLY]
        else:
            os.environ[_WEIGHTS_ONLY] = before


def _per_channel(values: tuple[float, ...], channels: int) -> torch.Tensor:
    """``(1,C,1,1)`` float32."""
    tensor = torch.tensor(values, dtype=torch.float32)
    if len(values) != channels:
        tensor = tensor.mean().expand(channels)
    return tensor.reshape(1, channels, 1, 1).clone()
