"""The entries of a COCO annotation file, checked one value at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, TypeAlias

Record: TypeAlias = dict[str, Any]

# What 32 bits hold: sides as whole numbers, areas as floating-point numbers.
_LONGEST_SIDE = 2**31 - 1
_LARGEST_AREA = 3e38


class RecordError(Exception):
    """What is wrong with an entry, in a few words that name it, without the annotation file."""


def records(document: Any, key: str) -> Sequence[Record]:
    """The list of entries that the file has under ``key``.

    Raises:
        RecordError: there is no such list, as in all functions below for what they look for.
    """
    if not isinstance(document, dict):
        raise RecordError("it holds no object with images, annotations and categories")
    listed = document.get(key)
    if not isinstance(listed, list) or not all(isinstance(record, dict) for record in listed):
        raise RecordError(f"it has no list of objects '{key}'")
    return listed


def whole_number_of(record: Record, key: str, where: str) -> int:
    """A whole number, such as an id."""
    value = record.get(key)
    # To Python true is 1.
    if not isinstance(value, int) or isinstance(value, bool):
        raise RecordError(f"{where} has {_given(record, key)}, not a whole number")
    return value


def side_of(record: Record, key: str, where: str) -> int:
    """The height or width of a picture in pixels."""
    side = whole_number_of(record, key, where)
    if not 0 < side <= _LONGEST_SIDE:
        raise RecordError(f"{where} has {_given(record, key)}, which no picture has")
    return side


def text_of(record: Record, key: str, where: str) -> str:
    """A text that is not empty and can be written to files and databases."""
    value = record.get(key)
    if not isinstance(value, str) or not value or "\0" in value:
        raise RecordError(f"{where} has {_given(record, key)}, not a text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise RecordError(f"{where} has {_given(record, key)}, not a valid text") from error
    return value


def file_name_of(record: Record, where: str) -> str:
    """The name of a picture's file below the folder of its split, with ``/`` between folders."""
    path = PurePath(text_of(record, "file_name", where))
    if path.anchor or not path.parts or ".." in path.parts:
        raise RecordError(
            f"{where} has {_given(record, 'file_name')}, which leads out of the folder of pictures"
        )
    return path.as_posix()


def box_of(record: Record, where: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom edge, which COCO writes as left, top, width and height."""
    value = record.get("bbox")
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_finite, value)):
        raise RecordError(f"{where} has {_given(record, 'bbox')}, not four finite numbers")
    left, top, width, height = map(float, value)
    return left, top, left + width, top + height


def area_of(record: Record, where: str) -> float | None:
    """The object's area in square pixels, None where it is not given."""
    value = record.get("area")
    if value is None:
        return None
    if not _is_finite(value) or value < 0:
        raise RecordError(f"{where} has {_given(record, 'area')}, not a number of square pixels")
    return min(float(value), _LARGEST_AREA)


def crowd_of(record: Record, where: str) -> bool:
    """Whether the box holds a group; not so where nothing is said."""
    value = record.get("iscrowd", 0)
    if value not in (0, 1):
        raise RecordError(f"{where} has {_given(record, 'iscrowd')}, neither 0 nor 1")
    return bool(value)


def _is_finite(value: Any) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _given(record: Record, key: str) -> str:
    """A value as it is quoted in messages: on one line, and not all of a long one."""
    if key not in record:
        return f"no {key}"
    text = ascii(record[key])
    return f"the {key} {text if len(text) <= 60 else text[:57] + '...'}"
