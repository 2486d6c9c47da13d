"""How far stored and recomputed numbers are apart, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hfcbench.quantities import Axis, Quantity
from hfcbench.runner.agreement import largest_difference, quantity_checks

PLACES = (Axis("place", "", (0.0, 1.0, 2.0)),)


def array(values, **more) -> Quantity:
    return Quantity("energy", "", np.asarray(values), PLACES, **more)


def difference(stored: Quantity, recomputed: Quantity) -> float:
    (check,) = quantity_checks([stored], [recomputed], 0.5)
    assert check.agrees == (check.difference <= 0.5)
    return check.difference


@pytest.mark.parametrize(
    ("stored", "recomputed", "expected"),
    [
        ([1.0, math.nan, 3.0], [1.25, math.nan, 2.5], 0.5),
        ([math.inf, -math.inf, 0.0], [math.inf, -math.inf, 0.0], 0.0),
        ([math.inf], [-math.inf], math.inf),
        ([math.nan], [0.0], math.inf),
        ([math.inf], [math.nan], math.inf),
        ([], [], 0.0),
        (0.25, 0.125, 0.125),
    ],
)
def test_the_largest_difference(stored, recomputed, expected):
    assert largest_difference(stored, recomputed) == expected


def test_bytes_do_not_wrap_around():
    pixels = [np.array(values, np.uint8) for values in ([0, 5, 9], [255, 5, 9])]
    assert difference(array(pixels[0]), array(pixels[1])) == 255
    assert difference(array(pixels[1]), array(pixels[0])) == 255


def test_numbers_count_as_they_are_kept():
    # 0.1 is not a float32; as one it is what the database gave back.
    stored = array(np.array([0.1, 0.2, 0.3], np.float32))
    assert difference(stored, array([0.1, 0.2, 0.3])) == 0
    # Single numbers are kept in float64.
    one, other = (Quantity("share", "", np.array(value)) for value in (0.1, 0.1 + 1e-12))
    assert difference(one, other) == pytest.approx(1e-12, rel=1e-3)


def test_bounds_count_and_so_does_their_absence():
    bounds = {"low": np.zeros(3), "high": np.full(3, math.nan)}
    assert difference(array([1, 2, 3], **bounds), array([1, 2, 3], **bounds)) == 0
    assert difference(array([1, 2, 3], **bounds), array([1, 2, 3])) == math.inf
    moved = {**bounds, "low": np.array([0, 0.25, 0])}
    assert difference(array([1, 2, 3], **bounds), array([1, 2, 3], **moved)) == 0.25


def test_what_is_not_the_same_quantity_never_agrees():
    stored = array([1, 2, 3])
    for other in (
        Quantity("energy", "joules", stored.values, PLACES),
        Quantity("energy", "", stored.values, (Axis("place", "", (0.0, 1.0, 2.5)),)),
        Quantity("energy", "", stored.values, PLACES, n=3),
    ):
        assert difference(stored, other) == math.inf
    checks = quantity_checks([stored], [Quantity("power", "", np.array(1.0))], 1e9)
    assert [(check.name, check.agrees) for check in checks] == [("energy", False), ("power", False)]
