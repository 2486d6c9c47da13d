"""What there is to compute on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from hfcbench.diagnosis.checks import Check

_GIB = 2**30
_LITTLE_MEMORY_GIB = 2
_CHOOSING = "see https://pytorch.org/get-started for the command that installs torch for it"


def device_checks() -> Iterator[Check]:
    """The processor, memory, and every GPU that torch can use; needs torch."""
    import torch

    from hfcbench.devices import choose_device

    yield _cpu()
    yield _memory()
    yield from _cuda()
    has_mps = torch.backends.mps.is_available()
    yield Check("devices", "mps", "ok", "available" if has_mps else "none")
    yield Check("devices", "auto", "ok", f"--device auto is {choose_device('auto')}")


def _cpu() -> Check:
    import torch

    from hfcbench.runner.provenance import processor_name

    processors = usable_processors()
    threads = torch.get_num_threads()
    said = f"{processor_name()}, {processors} processors, torch threads: {threads}"
    # By default torch takes one for each core, of which each is one processor or two.
    if threads < processors // 2 and "OMP_NUM_THREADS" in os.environ:
        said += f", OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']}"
        return Check("devices", "cpu", "warn", said, "unset OMP_NUM_THREADS")
    return Check("devices", "cpu", "ok", said)


def usable_processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> Check:
    import psutil

    memory = psutil.virtual_memory()
    free = memory.available / _GIB
    said = f"{free:.1f} GiB available of {memory.total / _GIB:.1f} GiB"
    if free < _LITTLE_MEMORY_GIB:
        return Check("devices", "memory", "warn", said, "end other programs before a run")
    return Check("devices", "memory", "ok", said)


def _cuda() -> Iterator[Check]:
    import torch

    built_for = torch.version.cuda
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        said = (
            f"{properties.name}, {properties.total_memory / _GIB:.1f} GiB, "
            f"compute capability {properties.major}.{properties.minor}, CUDA {built_for}"
        )
        yield Check("devices", f"cuda:{index}", "ok", said)
    if not torch.cuda.device_count():
        has_driver = shutil.which("nvidia-smi") is not None
        if has_driver and built_for is None:
            said = "there is an NVIDIA driver, and torch is built without CUDA"
            yield Check("devices", "cuda", "warn", said, _CHOOSING)
        elif has_driver:
            said = f"there is an NVIDIA driver, and torch (CUDA {built_for}) finds no GPU"
            yield Check("devices", "cuda", "warn", said, "nvidia-smi")
        else:
            yield Check("devices", "cuda", "ok", f"none (torch is built for CUDA {built_for})")
