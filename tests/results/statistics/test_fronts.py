"""Pareto fronts, by hand and against the definition."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfcbench.results.statistics import pareto_front

# So few different numbers that ties and equal points are frequent.
NUMBERS = st.one_of(
    st.integers(0, 4).map(lambda quarter: quarter / 4),
    st.floats(0, 1),
    st.sampled_from([math.nan, math.inf, -math.inf]),
)
CLOUDS = st.integers(1, 4).flatmap(lambda size: st.lists(st.tuples(*[NUMBERS] * size), max_size=12))


def dominates(other: tuple[float, ...], point: tuple[float, ...]) -> bool:
    pairs = [(round(x, 12), round(a, 12)) for x, a in zip(other, point, strict=True)]
    return all(x >= a for x, a in pairs) and any(x > a for x, a in pairs)


@given(CLOUDS)
def test_a_front_is_what_nothing_dominates(points):
    finite = [point for point in points if all(map(math.isfinite, point))]
    found = pareto_front(points)
    front = [point for point, on in zip(points, found, strict=True) if on]
    beaten = [p for p, on in zip(points, found, strict=True) if not on and p in finite]
    assert all(point in finite for point in front)
    assert not any(dominates(other, point) for point in front for other in finite)
    assert all(any(dominates(other, point) for other in front) for point in beaten)


@given(CLOUDS, st.randoms(use_true_random=False))
def test_the_order_of_points_does_not_matter(points, random):
    order = list(range(len(points)))
    random.shuffle(order)
    found = pareto_front(points)
    assert pareto_front([points[place] for place in order]) == [found[place] for place in order]


@pytest.mark.parametrize(
    ("points", "on_front"),
    [
        # Two dimensions: equal points are on the front together; each is beaten in one number only.
        ([(1, 0), (1, 0), (0, 1), (0, 0), (1, -1)], [True, True, True, False, False]),
        ([(0.9, 0.1), (0.8, 0.4), (0.7, 0.3), (0.6, 0.4)], [True, True, False, False]),
        # Three: the second is beaten by none in all, though it is highest in nothing.
        ([(1, 0, 0), (0.5, 0.5, 0.5), (0, 1, 0), (0, 0, 1), (0.5, 0.5, 0.4)], [True] * 4 + [False]),
        (
            [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0.5, 0), (0, 0, 1)],
            [True, True, True, False, True],
        ),
        # What is on the front of all three need not be on that of the first two.
        ([(0.9, 0.4, 0.1), (0.8, 0.3, 0.7)], [True, True]),
        # One number: whoever has the most; nobody of none.
        ([(0.2,), (0.3,), (0.3,)], [False, True, True]),
        ([], []),
    ],
)
def test_fronts_by_hand(points, on_front):
    assert pareto_front(points) == on_front


def test_the_last_bits_of_means_decide_nothing():
    assert pareto_front([(0.1 + 0.2, 0.5), (0.3, 0.5), (0.3 - 1e-9, 0.5)]) == [True, True, False]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_on_no_front_and_beats_nobody(value):
    assert pareto_front([(value, 1.0), (0.5, 0.5), (1.0, value)]) == [False, True, False]
