"""What SQL lacks for the ten questions: stored answers, image by image, and a deviation.

Each is a pure function of its arguments. SQLite is told to trust no schema, so that nobody's view
or trigger can call them; only a query can.
"""

from __future__ import annotations

import json
import math
import sqlite3
from typing import TYPE_CHECKING, Any

from hfcbench.results.writing.predictions import PackedArray, check_encoding, unpack_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_VALUES = 1_000_000


def add_functions(connection: sqlite3.Connection) -> None:
    """Make ``unpacked``, ``compared_answers`` and ``sample_deviation`` known to a connection."""
    connection.create_function("unpacked", 4, unpacked, deterministic=True)
    connection.create_function("compared_answers", 8, compared_answers, deterministic=True)
    connection.create_aggregate("sample_deviation", 1, SampleDeviation)


def unpacked(n: int, encoding: str, dtype: str, data: bytes) -> str:
    """The values of an array of table ``predictions`` or ``label_sets`` as a JSON list.

    What is no finite number is null, which JSON has no other word for.

    Raises:
        StoreError: the bytes are not what they are said to be; the query fails.
    """
    values = _values(n, encoding, dtype, data).tolist()
    return json.dumps([value if math.isfinite(value) else None for value in values])


def compared_answers(
    n: int,
    encoding: str,
    labels_dtype: str,
    labels: bytes,
    first_dtype: str,
    first: bytes,
    second_dtype: str,
    second: bytes,
) -> str:
    """How two rows of predictions of the same images differ, as a JSON object.

    Its names are those of ``hfcbench compare``: McNemar's test, and a paired bootstrap.

    Raises:
        StoreError: the bytes are not what they are said to be; the query fails.
    """
    from hfcbench.results.queries.comparing import pair_numbers

    truth = _values(n, encoding, labels_dtype, labels)
    one = _values(n, encoding, first_dtype, first) == truth
    other = _values(n, encoding, second_dtype, second) == truth
    return json.dumps(pair_numbers(one, other))


class SampleDeviation:
    """The standard deviation of a sample of numbers; NULL for fewer than two (Welford, 1962)."""

    def __init__(self) -> None:
        self._count = 0
        self._mean = 0.0
        self._squares = 0.0

    def step(self, value: float | None) -> None:
        """Add a number; NULL does not count."""
        if value is None:
            return
        self._count += 1
        difference = value - self._mean
        self._mean += difference / self._count
        self._squares += difference * (value - self._mean)

    def finalize(self) -> Any:
        """The deviation of all numbers, or None."""
        if self._count < 2:
            return None
        return math.sqrt(self._squares / (self._count - 1))


def _values(n: int, encoding: str, dtype: str, data: bytes) -> NDArray[Any]:
    from hfcbench.errors import StoreError

    check_encoding(encoding)
    if not isinstance(n, int) or n > _MOST_VALUES:
        raise StoreError(f"a query can unpack {_MOST_VALUES} values, not {n}")
    return unpack_array(PackedArray(dtype, data), n)
