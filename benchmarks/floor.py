"""The floor under a training: its multiplications, at the rate of large matrix products."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from device import DEVICE, HAS_GPU, finished
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

_BATCH = 10
# Large enough for the device's best rate, small enough to be a small part of an epoch.
_SIDE = 4096 if HAS_GPU else 1024


def operations(network: Callable[[], nn.Module], images: int) -> float:
    """Floating-point operations of convolutions and products, there and back, for an epoch."""
    model = network().train()
    with FlopCounterMode(display=False) as counted:
        logits = model(torch.rand(_BATCH, 3, 32, 32))
        F.cross_entropy(logits, torch.zeros(_BATCH, dtype=torch.int64)).backward()
    return counted.get_total_flops() / _BATCH * images


def as_products(network: Callable[[], nn.Module], images: int) -> Callable[[], None]:
    """As many operations as :func:`operations` counts, in float32 products of square matrices."""
    count = math.ceil(operations(network, images) / (2 * _SIDE**3))
    left, right = torch.rand((2, _SIDE, _SIDE), device=DEVICE)
    out = torch.empty_like(left)

    def run() -> None:
        for _ in range(count):
            torch.mm(left, right, out=out)
        finished()

    return run
