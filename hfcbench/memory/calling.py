"""Calling a model with no more images at once than there is memory for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hfcbench.memory.part_size import PartSize
from hfcbench.memory.wholeness import why_whole


@contextmanager
def called_in_parts(model: nn.Module, part_size: PartSize) -> Iterator[None]:
    """Within, the model, and every copy made of it, takes batches apart as ``part_size`` says.

    It stays the module that it is, so that defences and analyses find in it what they look for;
    only its ``forward`` is another. Where all images fit at once, that changes nothing.

    Args:
        model: takes images ``(N,C,H,W)``. Its answer to one must not depend on the others, or it is
            another one in parts; in training mode, where BatchNorm and dropout do depend on them,
            that is looked at, and such a model is always given all of them.
        part_size: the caller makes the work that runs out of memory again, see
            :meth:`~hfcbench.memory.part_size.PartSize.fitted`.
    """
    before = vars(model).get("forward")
    _call_in_parts(model, part_size)
    try:
        yield
    finally:
        if before is None:
            del vars(model)["forward"]
        else:
            vars(model)["forward"] = before


def carry_over(source: nn.Module, target: nn.Module) -> None:
    """Let a module that was made of another one be called in parts if the other one is."""
    forward = vars(source).get("forward")
    if isinstance(forward, _InParts):
        _call_in_parts(target, forward.part_size)


def _call_in_parts(model: nn.Module, part_size: PartSize) -> None:
    # Past any __setattr__ that would pass it on to another module.
    vars(model)["forward"] = _InParts(model, model.forward, part_size)


class _InParts:
    """A model's ``forward``. Copying the model copies it: then it calls the copy's."""

    def __init__(self, model: nn.Module, forward: Callable[..., Any], part_size: PartSize) -> None:
        self.model = model
        self.forward = forward
        self.part_size = part_size

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        if len(inputs) != 1 or named:
            return self.forward(*inputs, **named)
        (images,) = inputs
        # Whoever traces the model has no number of images, and must fail: what is traced has lost
        # its parts.
        count, most = len(images), self.part_size.images
        if most is None or count <= most:
            return self._called(images)
        if self.model.training:
            why = self.part_size.why_whole(partial(why_whole, self.model, self.forward, images[:2]))
            if why is not None:
                return self._called(images, why)
        # Of each part only the answer is kept: the rest is computed again for the gradient.
        called = partial(checkpoint, self._called, use_reentrant=False)
        answer = called if torch.is_grad_enabled() else self._called
        return torch.cat([answer(part) for part in torch.split(images, most)])

    def _called(self, images: Tensor, whole: str | None = None) -> Any:
        self.part_size.began(images, whole)
        answer = self.forward(images)
        if not torch.is_grad_enabled():
            self.part_size.ended()
        return answer
