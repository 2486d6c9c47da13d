"""Rewriting models: BatchNorm becomes part of the convolution before it."""

from __future__ import annotations

import copy
import warnings

from torch import nn
from torch.fx.experimental.optimization import fuse


def fold(model: nn.Module) -> nn.Module:
    """A copy whose BatchNorm is folded into its convolutions wherever these can be traced.

    What cannot be traced is copied as it is, and its parts are tried one by one. So are modules
    around models: tracing a defence would fix what it draws, and whether it lets attacks through.

    Args:
        model: in evaluation mode; stays as it is.
    """
    with warnings.catch_warnings():
        # Of models' own code, which runs while it is traced.
        warnings.simplefilter("ignore")
        return _folded(copy.deepcopy(model)).eval()


def batchnorms(module: nn.Module) -> int:
    """How many BatchNorm layers of images a module has."""
    return sum(isinstance(part, nn.BatchNorm2d) for part in module.modules())


def _folded(module: nn.Module) -> nn.Module:
    if not batchnorms(module) or isinstance(module, nn.BatchNorm2d):
        return module
    if not any(hasattr(part, "adaptive") for part in module.modules()):
        try:
            return fuse(module)
        # Tracing runs code of any model with stand-ins for tensors, which may fail in any way.
        except Exception:
            pass
    for name, child in module.named_children():
        setattr(module, name, _folded(child))
    return module
