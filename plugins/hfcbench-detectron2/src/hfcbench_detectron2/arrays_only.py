"""Reading pickles that hold nothing but NumPy arrays, without running what else they may hold."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from numpy._core import multiarray, numeric

_CORES = ("numpy.core", "numpy._core")
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("__builtin__", "bytes"): bytes,
    **{(f"{core}.multiarray", "_reconstruct"): multiarray._reconstruct for core in _CORES},
    **{(f"{core}.multiarray", "scalar"): multiarray.scalar for core in _CORES},
    **{(f"{core}.numeric", "_frombuffer"): numeric._frombuffer for core in _CORES},  # type: ignore[attr-defined]
}


def _encode(text: str, encoding: str) -> bytes:
    """How pickles of protocol 2 spell bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in {encoding}")
    return text.encode("latin1")


class ArraysOnly(pickle.Unpickler):
    """Unpickles arrays, numbers, text, and lists and mappings of these.

    Raises:
        pickle.UnpicklingError: there is anything else.
    """

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("_codecs", "encode"):
            return _encode
        try:
            return _ALLOWED[module, name]
        except KeyError as error:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from error
