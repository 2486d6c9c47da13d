"""The three lists of a COCO annotation file, and whether they belong together.

Each function raises RecordError for what cannot be right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hfcbench.datasets.coco_records import (
    Record,
    RecordError,
    area_of,
    box_of,
    crowd_of,
    file_name_of,
    side_of,
    text_of,
    whole_number_of,
)
from hfcbench.errors import nearest


class Image(NamedTuple):
    """What the file says of a picture itself."""

    name: str
    height: int
    width: int


class Annotated(NamedTuple):
    """One annotation; ``corners`` are left, top, right, bottom, ``area`` None where not given."""

    id: int
    corners: tuple[float, float, float, float]
    position: int
    area: float | None
    crowd: bool


def categories_in(
    categories: Sequence[Record], chosen: tuple[str, ...] | None
) -> tuple[dict[int, int | None], tuple[str, ...]]:
    """For each category id the position of its class, None where it is not chosen; the names."""
    names: dict[int, str] = {}
    for record in categories:
        number = whole_number_of(record, "id", "a category")
        name = text_of(record, "name", f"category {number}")
        if number in names:
            raise RecordError(f"two categories have the id {number}")
        if name in names.values():
            raise RecordError(f"two categories are called '{name}'")
        names[number] = name
    if not names:
        raise RecordError("it lists no categories")
    for name in chosen or ():
        if name not in names.values():
            raise RecordError(f"no category is called '{name}'; {nearest(name, names.values())}")
    kept = [number for number in sorted(names) if chosen is None or names[number] in chosen]
    positions: dict[int, int | None] = dict.fromkeys(names)
    positions.update({number: position for position, number in enumerate(kept)})
    return positions, tuple(names[number] for number in kept)


def images_in(listed: Sequence[Record]) -> dict[int, Image]:
    """The pictures by id; no two are the same file."""
    images: dict[int, Image] = {}
    names = set()
    for record in listed:
        number = whole_number_of(record, "id", "a picture")
        where = f"picture {number}"
        name = file_name_of(record, where)
        if number in images:
            raise RecordError(f"'{images[number].name}' and '{name}' both have the id {number}")
        if name in names:
            raise RecordError(f"two pictures have the file name '{name}'")
        where = f"picture '{name}'"
        images[number] = Image(
            name, side_of(record, "height", where), side_of(record, "width", where)
        )
        names.add(name)
    if not images:
        raise RecordError("it lists no pictures")
    return images


def annotated_in(
    listed: Sequence[Record], images: Mapping[int, Image], positions: Mapping[int, int | None]
) -> dict[int, list[Annotated]]:
    """The annotations of the chosen categories by picture; all others are checked, too."""
    annotated = defaultdict(list)
    seen = set()
    for record in listed:
        number = whole_number_of(record, "id", "an annotation")
        if number in seen:
            raise RecordError(f"two annotations have the id {number}")
        seen.add(number)
        where = f"annotation {number}"
        image = whole_number_of(record, "image_id", where)
        if image not in images:
            raise RecordError(f"{where} is of picture {image}, which is not listed")
        where = f"annotation {number} of picture '{images[image].name}'"
        category = whole_number_of(record, "category_id", where)
        if category not in positions:
            raise RecordError(f"{where} is of category {category}, which is not listed")
        corners, area, crowd = (
            box_of(record, where),
            area_of(record, where),
            crowd_of(record, where),
        )
        position = positions[category]
        if position is not None:
            annotated[image].append(Annotated(number, corners, position, area, crowd))
    return annotated
