"""Choosing a device and making what runs on it repeatable."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hfcbench.errors import UsageError


def choose_device(text: str) -> torch.device:
    """The device that ``--device`` asks for; ``auto`` is CUDA, then MPS, then the CPU.

    Raises:
        UsageError: not a device, or one that this machine does not have.
    """
    if text == "auto":
        text = "cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu"
    kind, _, index = text.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and not index.isdigit()):
        raise UsageError(f"'{text}' is no device; valid: auto, cpu, cuda, cuda:1, mps")
    if kind == "mps" and not _has_mps():
        raise UsageError("this machine has no MPS device", hint="use --device cpu")
    if kind == "cuda":
        count = torch.cuda.device_count()
        if int(index or 0) >= count:
            raise UsageError(
                f"there is no CUDA device {index or 0}; this machine has {count}",
                hint="use --device auto",
            )
    return torch.device(text)


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def to_device(array: NDArray[Any], device: torch.device) -> Tensor:
    """An array as a tensor on the device; CUDA copies it while the caller goes on.

    The array may be a read-only memory map. On the CPU the tensor may share a writable array's
    memory: do not modify it.
    """
    # torch takes no read-only arrays: those are copied.
    tensor = torch.from_numpy(np.require(array, requirements=["C", "W"]))
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def derived_seed(seed: int, *purpose: object) -> int:
    """A 63-bit seed for one purpose, so that no two purposes share their random numbers."""
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator_for(device: torch.device, seed: int, *purpose: object) -> torch.Generator:
    """A generator on the device, seeded for one purpose."""
    generator = torch.Generator(device)
    generator.manual_seed(derived_seed(seed, *purpose))
    return generator


@contextmanager
def seeded(device: torch.device, seed: int, *purpose: object) -> Iterator[None]:
    """Seed torch's global generators for one purpose; their states are restored after."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(derived_seed(seed, *purpose))
        yield


class RandomStates:
    """What torch's own generators, and given ones, are about to draw.

    Args:
        device: whose generator counts beside the CPU's.
        generators: of any device.
    """

    def __init__(self, device: torch.device, generators: Iterable[torch.Generator] = ()) -> None:
        self._device = device
        self._generators = tuple(generators)
        self._states = self._now()

    @property
    def moved(self) -> bool:
        """Whether anything has been drawn from any of them since."""
        return not all(map(torch.equal, self._states, self._now()))

    def restore(self) -> None:
        """Let them draw again what they have drawn since."""
        cpu, device, *others = self._states
        torch.set_rng_state(cpu)
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(device, self._device)
        elif self._device.type == "mps":
            torch.mps.set_rng_state(device)
        for generator, state in zip(self._generators, others, strict=True):
            generator.set_state(state)

    def _now(self) -> list[Tensor]:
        cpu = torch.get_rng_state()
        device = cpu
        if self._device.type == "cuda":
            device = torch.cuda.get_rng_state(self._device)
        elif self._device.type == "mps":
            device = torch.mps.get_rng_state()
        return [cpu, device, *(generator.get_state() for generator in self._generators)]


@contextmanager
def deterministic() -> Iterator[None]:
    """Use algorithms with one result only, where torch has them; restores the settings after."""
    # cuBLAS reads this when its first handle is made.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    algorithms = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark = torch.backends.cudnn.benchmark
    memory: Any = torch.utils.deterministic  # a module whose property no type checker sees
    fill = memory.fill_uninitialized_memory
    # An operation without a deterministic form must warn, not end a run of hours.
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    # Writing NaN to all new memory finds errors in kernels, at the cost of a pass over it.
    memory.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(algorithms, warn_only=warn_only)
        torch.backends.cudnn.benchmark = benchmark
        memory.fill_uninitialized_memory = fill
