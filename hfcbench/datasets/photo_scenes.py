"""Composing the scenes of photo-objects: which things lie where on a photograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from hfcbench.datasets.photo_things import (
    FULL,
    Shape,
    Silhouette,
    Texture,
    Thing,
    paint,
    silhouette_of,
)
from hfcbench.detection_types import Objects

CLASSES = (
    "triangle",
    "ring",
    "striped disc",
    "checked disc",
    "light square",
    "dark square",
)
_SHAPES: tuple[Shape, ...] = ("triangle", "ring", "disc", "disc", "square", "square")

LEAST_VISIBLE = 0.5
_LEAST_PIXELS = 100
# Radii: in pixels, and as a share of the shorter side of a picture.
_SMALLEST = 9.0
_LARGEST = 0.42
_MOST_THINGS = 5
_TRIES = 8
_STEPS = 2**20


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture, drawn, with what is to be found in it.

    Attributes:
        pixels: ``(3,H,W)`` uint8 in 0..255.
        owners: ``(H,W)`` int64, which object covers at least half of a pixel, on top of others;
            -1 for none. Boxes and areas are those of these pixels.
    """

    pixels: NDArray[np.uint8]
    owners: NDArray[np.int64]
    objects: Objects


def draw_scene(background: NDArray[np.uint8], draw: np.random.Generator) -> Scene:
    """A scene on the photograph ``background`` ``(H,W,3)``: no or up to five things."""
    height, width, _ = background.shape
    classes: list[int] = []
    things: list[Thing] = []
    silhouettes: list[Silhouette] = []
    owners = np.full((height, width), -1, dtype=np.int64)
    empty = draw.integers(12) == 0
    for _ in range(0 if empty else int(draw.integers(1, _MOST_THINGS + 1))):
        for _ in range(_TRIES):
            position = int(draw.integers(len(CLASSES)))
            thing = draw_thing(position, height, width, draw)
            silhouette = silhouette_of(thing)
            after = _covered(owners, silhouette, len(things))
            if _all_visible(after, [*silhouettes, silhouette]):
                owners = after
                classes.append(position)
                things.append(thing)
                silhouettes.append(silhouette)
                break
    pixels = render(background, things, silhouettes)
    return Scene(pixels, owners, _objects(owners, classes))


def render(
    background: NDArray[np.uint8], things: list[Thing], silhouettes: list[Silhouette]
) -> NDArray[np.uint8]:
    """The picture ``(3,H,W)`` of things on a photograph ``(H,W,3)``, later ones on top."""
    picture = background.astype(np.float64)
    for thing, silhouette in zip(things, silhouettes, strict=True):
        paint(thing, silhouette, picture)
    return np.floor(picture + 0.5).astype(np.uint8).transpose(2, 0, 1).copy()


def draw_thing(position: int, height: int, width: int, draw: np.random.Generator) -> Thing:
    """A thing of a class; all that does not make up the class is drawn from one distribution."""
    texture: Texture = get_args(Texture)[int(draw.integers(2))]
    sign = 1 - 2 * int(draw.integers(2))
    name = CLASSES[position]
    if name.endswith("disc"):
        texture = "stripes" if name == "striped disc" else "checks"
    if name.endswith("square"):
        sign = 1 if name == "light square" else -1
    share = _between(draw, 0, 1)
    largest = _LARGEST * min(height, width)
    radius = _SMALLEST + (largest - _SMALLEST) * share * (share + 1) / 2
    stretch = _between(draw, 0.87, 1.15)
    grey = int(draw.integers(115, 141))
    return Thing(
        shape=_SHAPES[position],
        x=_between(draw, radius / 2, width - radius / 2),
        y=_between(draw, radius / 2, height - radius / 2),
        radii=(radius * stretch, radius / stretch),
        tilt=_between(draw, -0.2, 0.2),
        colour=(
            grey + int(draw.integers(-20, 21)),
            grey + int(draw.integers(-20, 21)),
            grey + int(draw.integers(-20, 21)),
        ),
        texture=texture,
        direction=int(draw.integers(4)),
        phase=(int(draw.integers(4)), int(draw.integers(4))),
        contrast=_between(draw, 18, 30),
        swelling=sign * _between(draw, 35, 55),
        slope=(_between(draw, -15, 15), _between(draw, -15, 15)),
        opacity=_between(draw, 0.8, 0.95),
    )


def _between(draw: np.random.Generator, low: float, high: float) -> float:
    # Not draw.uniform: compilers may fuse its multiplication and addition, and round once.
    return low + (high - low) * (int(draw.integers(_STEPS)) / _STEPS)


def _covered(owners: NDArray[np.int64], silhouette: Silhouette, number: int) -> NDArray[np.int64]:
    """``owners`` with one more thing on top."""
    after = owners.copy()
    place, coverage = silhouette.within(*owners.shape)
    after[place][2 * coverage >= FULL] = number
    return after


def _all_visible(owners: NDArray[np.int64], silhouettes: list[Silhouette]) -> bool:
    """Whether enough of each thing is inside the picture and not covered by another."""
    visible = np.bincount(owners.reshape(-1) + 1, minlength=len(silhouettes) + 1)[1:]
    whole = [int((2 * one.coverage >= FULL).sum()) for one in silhouettes]
    return all(
        seen >= _LEAST_PIXELS and seen >= LEAST_VISIBLE * all_of_it
        for seen, all_of_it in zip(visible.tolist(), whole, strict=True)
    )


def _objects(owners: NDArray[np.int64], classes: list[int]) -> Objects:
    """The tight boxes of what is visible of each thing."""
    boxes = np.zeros((len(classes), 4), dtype=np.float32)
    areas = np.zeros(len(classes), dtype=np.float32)
    for number in range(len(classes)):
        rows, columns = np.nonzero(owners == number)
        boxes[number] = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        areas[number] = len(rows)
    return Objects(
        boxes, np.array(classes, dtype=np.int64), areas, np.zeros(len(classes), dtype=np.bool_)
    )
