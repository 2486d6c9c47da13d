"""The C library's allocator, told to keep the memory that every batch takes and gives back."""

from __future__ import annotations

import ctypes
import os
import sys

_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
# The largest that glibc takes.
_LARGEST_KEPT_BYTES = 32 * 2**20


def keep_freed_memory() -> bool:
    """Let this process keep freed blocks of up to 32 MB for its next ones.

    By default glibc returns blocks of the size of layers' outputs to the system as they are freed,
    which clears every page anew for the next batch: up to half of the time of small networks on a
    CPU. Larger blocks, such as datasets, still go back.

    Returns:
        Whether it did: not without glibc, nor where the environment sets the allocator up
        (``GLIBC_TUNABLES``, ``MALLOC_TRIM_THRESHOLD_``, ``MALLOC_MMAP_THRESHOLD_`` or another
        allocator in ``LD_PRELOAD``).
    """
    if not sys.platform.startswith("linux") or _set_up_by_environment():
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    kept = library.mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)
    return bool(kept and library.mallopt(_TRIM_THRESHOLD, 2**31 - 1))


def _set_up_by_environment() -> bool:
    names = ("GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "LD_PRELOAD")
    return any(os.environ.get(name) for name in names)
