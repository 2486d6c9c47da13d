"""Rewriting models: BatchNorm becomes part of the convolution before it."""

from __future__ import annotations

import copy
import operator
import warnings
from typing import Any

import torch.nn.functional as F
from torch import fx, nn
from torch.fx.experimental.optimization import fuse

from hfcbench.memory.calling import carry_over
from hfcbench.memory.exhaustion import is_out_of_memory


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
            fused = fuse(module)
            if isinstance(fused, fx.GraphModule):
                fused = _overwriting(fused)
            carry_over(module, fused)
            return fused
        # Tracing runs code of any model with stand-ins for tensors, which may fail in any way.
        except Exception as error:
            if is_out_of_memory(error):
                raise
    for name, child in module.named_children():
        setattr(module, name, _folded(child))
    return module


def _overwriting(module: fx.GraphModule) -> fx.GraphModule:
    """Let each ReLU write over its input where nobody else reads that, which spares a pass.

    Convolutions and sums do not need their outputs for their gradients.
    """
    parts = dict(module.named_modules())
    for node in module.graph.nodes:
        if _is_relu(node, parts) and node.args and _may_be_overwritten(node.args[0], parts):
            node.op, node.target = "call_function", F.relu
            node.args, node.kwargs = (node.args[0],), {"inplace": True}
    module.recompile()
    return module


def _is_relu(node: fx.Node, parts: dict[str, nn.Module]) -> bool:
    if node.op == "call_module":
        return type(parts[str(node.target)]) is nn.ReLU
    return node.op == "call_function" and node.target is F.relu


def _may_be_overwritten(source: Any, parts: dict[str, nn.Module]) -> bool:
    if not isinstance(source, fx.Node) or len(source.users) != 1:
        return False
    if source.op == "call_module":
        return isinstance(parts[str(source.target)], nn.Conv2d)
    return source.op == "call_function" and source.target in (operator.add, operator.iadd)
