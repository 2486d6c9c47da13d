"""Quantities of analyses as columns: single numbers as numbers, arrays as compact bytes.

An array is float32, or uint8 where it was given so, in C order, encoded as the arrays of
predictions are (see :mod:`hfcbench.results.writing.predictions`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hfcbench.errors import StoreError
from hfcbench.quantities import Axis, Quantity
from hfcbench.results.writing.predictions import PackedArray, pack_array, unpack_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ARRAYS = {"values": "array", "low": "array_low", "high": "array_high"}


def quantity_row(quantity: Quantity) -> dict[str, Any]:
    """The columns of table ``quantities``, but for keys."""
    axes = [
        {"name": axis.name, "unit": axis.unit, "values": [float(value) for value in axis.values]}
        for axis in quantity.axes
    ]
    row = {"name": quantity.name, "unit": quantity.unit, "n": quantity.n, "axes": axes}
    row |= dict.fromkeys(("value", "low", "high", "dtype", *_ARRAYS.values()))
    if not axes:
        numbers = {"value": quantity.values, "low": quantity.low, "high": quantity.high}
        return row | {
            name: None if number is None else float(number) for name, number in numbers.items()
        }
    dtype = "|u1" if quantity.values.dtype == "uint8" else "<f4"
    row["dtype"] = dtype
    for name, column in _ARRAYS.items():
        array = getattr(quantity, name)
        if array is not None:
            row[column] = pack_array(array.reshape(-1), dtype if name == "values" else "<f4").data
    return row


def quantity_of(row: Mapping[str, Any]) -> Quantity:
    """The quantity that lies in such columns.

    Raises:
        StoreError: the columns are damaged.
    """
    import numpy as np

    try:
        axes = tuple(
            Axis(str(axis["name"]), str(axis["unit"]), tuple(map(float, axis["values"])))
            for axis in row["axes"]
        )
    except (TypeError, KeyError, ValueError) as error:
        raise StoreError(f"the axes of quantity '{row['name']}' are damaged: {error}") from error
    if not axes:
        value, low, high = (
            np.array(row[name], dtype=np.float64) for name in ("value", "low", "high")
        )
        if np.isnan(low) and np.isnan(high):
            return Quantity(row["name"], row["unit"], value, n=row["n"])
        return Quantity(row["name"], row["unit"], value, (), low, high, row["n"])
    shape = tuple(len(axis.values) for axis in axes)
    arrays = {name: _array(row, name, column, shape) for name, column in _ARRAYS.items()}
    if arrays["values"] is None:
        raise StoreError(f"quantity '{row['name']}' has axes and no values")
    return Quantity(
        row["name"], row["unit"], arrays["values"], axes, arrays["low"], arrays["high"], row["n"]
    )


def _array(
    row: Mapping[str, Any], name: str, column: str, shape: tuple[int, ...]
) -> NDArray[Any] | None:
    data = row[column]
    if data is None:
        return None
    dtype = row["dtype"] if name == "values" else "<f4"
    return unpack_array(PackedArray(dtype, data), math.prod(shape)).reshape(shape)
