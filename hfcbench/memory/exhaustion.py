"""Errors that say that memory has run out, and what to tell people about them."""

from __future__ import annotations

import gc
import re
import traceback

import torch

from hfcbench.errors import NodeError

# torch raises plain RuntimeErrors for a CPU's memory, and may for that of MPS.
_MPS = "MPS backend out of memory"
_MESSAGES = (
    _MPS,
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
)
# Libraries that have no other words for it, but may mean something else.
_AMBIGUOUS = ("could not create a primitive", "std::bad_alloc", "CUBLAS_STATUS_ALLOC_FAILED")
_ASKED = re.compile(r"(?:tried|unable) to allocate ([\d.]+) (\w+)", re.IGNORECASE)

_BATCH_IS_SPECIFIED = (
    "the batch size is part of what a training is: with a smaller --batch-size it is another one; "
    "or "
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device or the machine has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _MESSAGES)


def may_be_out_of_memory(error: BaseException) -> bool:
    """Whether less memory may mend an error: also one that libraries below torch make of it.

    Of oneDNN, which computes on CPUs, and cuBLAS. Where less memory does not help, these are told
    as what they are.
    """
    unclear = isinstance(error, RuntimeError) and any(text in str(error) for text in _AMBIGUOUS)
    return unclear or is_out_of_memory(error)


def explained(error: Exception, doing: str = "") -> Exception:
    """The error itself, or, where memory ran out, one for people.

    Args:
        doing: goes on from "out of memory", as "with 2 images in the model".
    """
    return _told(error, doing) if is_out_of_memory(error) else error


def whole_batch_error(error: Exception, doing: str) -> NodeError:
    """What to say where memory ran out in a training whose batches cannot be taken apart."""
    return _told(error, doing, _BATCH_IS_SPECIFIED)


def forget(error: BaseException) -> None:
    """Let go of the tensors in the frames that an error came through."""
    known: BaseException | None = error
    while known is not None:
        traceback.clear_frames(known.__traceback__)
        known = known.__cause__ or known.__context__


def free_memory() -> None:
    """Give back what nobody holds any more, once the error that ended it is gone."""
    gc.collect()
    torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _told(error: Exception, doing: str, hint: str = "") -> NodeError:
    parts = ["out of memory", doing, _asked(str(error))]
    # The machine's own memory is the last resort.
    of_device = isinstance(error, torch.OutOfMemoryError) or _MPS in str(error)
    hint += f"use {'--device cpu, ' if of_device else ''}a smaller model or smaller images"
    return NodeError(" ".join(part for part in parts if part), hint=hint)


def _asked(message: str) -> str:
    """How much was asked for in vain, as far as the message says it."""
    found = _ASKED.search(message)
    if found is None:
        return ""
    number, unit = found[1].rstrip("."), found[2]
    if unit == "bytes":
        size = float(number)
        power = next((p for p in (3, 2, 1) if size >= 1024**p), 0)
        number, unit = f"{size / 1024**power:.2f}", ("bytes", "KiB", "MiB", "GiB")[power]
    return f"(asked for {number} {unit})"
