"""A memory of so many images, and models that need it: what runs out is what torch would raise."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

CUDA = (
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 3.00 GiB of "
    "which 1.00 GiB is free."
)
ERRORS: dict[str, Callable[[], Exception]] = {
    "cuda": lambda: torch.OutOfMemoryError(CUDA),
    "mps": lambda: RuntimeError(
        "MPS backend out of memory (MPS allocated: 17.81 GB, other allocations: 0.17 GB, max "
        "allowed: 18.13 GB). Tried to allocate 512.00 MB on private pool."
    ),
    "cpu": lambda: RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 3221225472 bytes. Error code 12 (Cannot allocate memory)"
    ),
    "windows": lambda: RuntimeError(
        "[enforce fail at alloc_cpu.cpp:116] data. DefaultCPUAllocator: not enough memory: you "
        "tried to allocate 3221225472 bytes."
    ),
    "python": MemoryError,
}


class Memory:
    """Room for ``capacity`` images' worth of a model's work.

    Attributes:
        used: how many lie in it: while a model works on them, and as long as a graph keeps them.
        peak: the most that there ever were.
        failures: how many images there would have been at each failure.
    """

    def __init__(self, capacity: float, error: Callable[[], Exception] = ERRORS["cuda"]) -> None:
        self.capacity = capacity
        self.error = error
        self.used = 0
        self.peak = 0
        self.failures: list[int] = []

    def __deepcopy__(self, memo):
        return self

    def take(self, images: int) -> Tensor:
        if self.used + images > self.capacity:
            self.failures.append(self.used + images)
            raise self.error()
        self.used += images
        self.peak = max(self.peak, self.used)
        work = torch.zeros(images)
        weakref.finalize(work, self._give_back, images)
        return work

    def _give_back(self, images: int) -> None:
        self.used -= images


class _Worked(torch.autograd.Function):
    """The images themselves; what the memory holds for them is kept for the gradient."""

    @staticmethod
    def forward(context, images, memory):
        context.save_for_backward(memory.take(len(images)))
        return images.clone()

    @staticmethod
    def backward(context, gradient):
        assert context.saved_tensors[0].shape == gradient.shape[:1]
        return gradient, None


class Needy(nn.Module):
    """Classes whose logits follow from each image alone, the same in any company."""

    def __init__(self, memory: Memory, pixels: int = 48, classes: int = 3) -> None:
        super().__init__()
        self.memory = memory
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(classes, pixels, generator=generator))

    def forward(self, images):
        seen = _Worked.apply(images, self.memory)
        products = seen.flatten(1)[:, None] * self.weight  # (N,K,P)
        return torch.tanh(products.sum(2))


@pytest.fixture
def memory() -> type[Memory]:
    return Memory


@pytest.fixture
def needy() -> type[Needy]:
    return Needy


@pytest.fixture
def errors() -> dict[str, Callable[[], Exception]]:
    return ERRORS
