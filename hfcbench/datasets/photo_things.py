"""Drawing the things that photo-objects lays onto photographs.

Only additions, multiplications, divisions and comparisons of float64 are used, none of which
machines round differently, so that every pixel is the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Shape: TypeAlias = Literal["triangle", "ring", "disc", "square"]
Texture: TypeAlias = Literal["stripes", "checks"]

# Samples along each side of a pixel, which smooth outlines.
_SAMPLES = 4
FULL = _SAMPLES * _SAMPLES
_HALF_SQUARE = 0.88
_RING_HOLE = 0.3
# Where the swelling ends: at the sides of the square.
_SWELLING_END = _HALF_SQUARE * _HALF_SQUARE


@dataclass(frozen=True)
class Thing:
    """One object to be drawn; lengths are in pixels, brightness in grey levels.

    Attributes:
        x, y: its centre.
        radii: half its width and height before it is turned.
        tilt: the tangent of half the angle by which it is turned, within -1 and 1.
        colour: red, green and blue.
        texture: fine pattern of period 4 pixels that makes half of the pixels lighter and half
            darker by ``contrast``: stripes in one of four ``direction``s, or checks.
        phase: where the pattern begins.
        swelling: how much lighter (darker where negative) the middle is; it fades out towards the
            outline, smoothly.
        slope: how much lighter the right and lower end are than the middle.
        opacity: how little of the photograph shines through, in [0,1].
    """

    shape: Shape
    x: float
    y: float
    radii: tuple[float, float]
    tilt: float
    colour: tuple[int, int, int]
    texture: Texture
    direction: int
    phase: tuple[int, int]
    contrast: float
    swelling: float
    slope: tuple[float, float]
    opacity: float


@dataclass(frozen=True, eq=False)
class Silhouette:
    """What a thing covers, of an unbounded canvas.

    Attributes:
        top, left: where the first row and column lie in the picture; may be negative.
        coverage: ``(h,w)`` int64, of each pixel in sixteenths.
    """

    top: int
    left: int
    coverage: NDArray[np.int64]

    def within(self, height: int, width: int) -> tuple[tuple[slice, slice], NDArray[np.int64]]:
        """The part inside of a picture: where it lies there, and its coverage."""
        rows, columns = self.coverage.shape
        top, left = max(self.top, 0), max(self.left, 0)
        bottom = max(min(self.top + rows, height), top)
        right = max(min(self.left + columns, width), left)
        part = self.coverage[
            top - self.top : bottom - self.top, left - self.left : right - self.left
        ]
        return (slice(top, bottom), slice(left, right)), part


def silhouette_of(thing: Thing) -> Silhouette:
    """The thing's outline, smoothed by sampling the pixels along it at 16 places each."""
    cosine, sine = _turn(thing)
    # What is within 1 of its centre in both of its directions, turned.
    reach = int(max(thing.radii) * (cosine + abs(sine))) + 2
    top, left = int(thing.y) - reach, int(thing.x) - reach
    middles = np.arange(2 * reach + 1, dtype=np.float64) + 0.5
    u, v = _own_coordinates(thing, top + middles[:, None], left + middles[None, :])
    inside = _inside(thing.shape, u, v)
    coverage = FULL * inside.astype(np.int64)
    # Sampling all pixels would take most of the time of drawing.
    rows, columns = np.nonzero(_outline(inside))
    samples = (np.arange(_SAMPLES, dtype=np.float64) + 0.5) / _SAMPLES
    u, v = _own_coordinates(
        thing,
        top + rows[:, None, None] + samples[:, None],
        left + columns[:, None, None] + samples[None, :],
    )
    coverage[rows, columns] = _inside(thing.shape, u, v).sum(axis=(1, 2))
    return Silhouette(top, left, coverage)


def _outline(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a pixel or one of its eight neighbours differs from the others."""
    padded = np.pad(inside, 1)
    some = padded[:, :-2] | padded[:, 1:-1] | padded[:, 2:]
    every = padded[:, :-2] & padded[:, 1:-1] & padded[:, 2:]
    some = some[:-2] | some[1:-1] | some[2:]
    every = every[:-2] & every[1:-1] & every[2:]
    return some & ~every


def paint(thing: Thing, silhouette: Silhouette, picture: NDArray[np.float64]) -> None:
    """Lay the thing onto ``picture`` ``(H,W,3)``, in grey levels 0..255, in place."""
    (rows, columns), coverage = silhouette.within(*picture.shape[:2])
    y = np.arange(rows.start, rows.stop)[:, None]
    x = np.arange(columns.start, columns.stop)[None, :]
    u, v = _own_coordinates(thing, y + 0.5, x + 0.5)
    fading = np.maximum(1 - (u * u + v * v) / _SWELLING_END, 0)
    grey = (
        thing.contrast * _pattern(thing, y, x)
        + thing.swelling * (fading * fading)
        + (thing.slope[0] * (x + 0.5 - thing.x) / thing.radii[0])
        + (thing.slope[1] * (y + 0.5 - thing.y) / thing.radii[1])
    )
    surface = np.clip(np.array(thing.colour, dtype=np.float64) + grey[..., None], 0, 255)
    part = (coverage * (thing.opacity / FULL))[..., None]
    picture[rows, columns] = picture[rows, columns] * (1 - part) + surface * part


def _own_coordinates(
    thing: Thing, y: NDArray[np.float64], x: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places as seen by the thing: turned back, and its radii are 1."""
    cosine, sine = _turn(thing)
    right, down = x - thing.x, y - thing.y
    u = (cosine * right + sine * down) / thing.radii[0]
    v = (cosine * down - sine * right) / thing.radii[1]
    return u, v


def _turn(thing: Thing) -> tuple[float, float]:
    """Cosine and sine of its angle, rational in its tilt: libraries round their own differently."""
    square = thing.tilt * thing.tilt
    return (1 - square) / (1 + square), 2 * thing.tilt / (1 + square)


def _inside(shape: Shape, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.bool_]:
    if shape == "square":
        return (np.abs(u) <= _HALF_SQUARE) & (np.abs(v) <= _HALF_SQUARE)
    if shape == "triangle":
        return (v <= 0.8) & (np.abs(u) * 1.8 <= 0.95 * (v + 1))
    distance = u * u + v * v
    if shape == "ring":
        return (distance <= 1) & (distance >= _RING_HOLE)
    return distance <= 1


def _pattern(thing: Thing, y: NDArray[np.int64], x: NDArray[np.int64]) -> NDArray[np.int64]:
    """+1 and -1 ``(h,w)``, equally often in every 4x4 pixels."""
    y, x = y + thing.phase[0], x + thing.phase[1]
    if thing.texture == "checks":
        number = y // 2 + x // 2
    else:
        # Across, down and along both diagonals.
        number = (y + 0 * x, x + 0 * y, y + x, y - x)[thing.direction] // 2
    return 1 - 2 * (number % 2)
