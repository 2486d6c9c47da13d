"""Labels that do not lie upon each other."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hfcbench.reports.figures.label_places import place_labels


def overlap(one, other, wide, high):
    return abs(one[0] - other[0]) < wide - 1e-6 and abs(one[1] - other[1]) < high - 1e-6


def test_a_label_stands_on_its_box():
    assert place_labels(np.array([[10, 20, 60, 70]]), [(30, 8)], 100, 100) == [(10, 12)]


def test_at_the_edges_it_stays_inside():
    boxes = np.array([[80, 2, 99, 50], [-5, -5, 105, 105]])
    assert place_labels(boxes, [(30, 8)] * 2, 100, 100) == [(70, 0), (0, 0)]


def test_equal_boxes_have_their_labels_one_beside_the_other():
    first, second = place_labels(np.array([[10, 20, 60, 70]] * 2), [(30, 8)] * 2, 100, 100)
    assert first == (10, 12)
    assert second == (10, 20)


edges = st.floats(0, 100)


@given(st.lists(st.tuples(edges, edges, edges, edges), max_size=10))
def test_ten_labels_lie_apart_and_inside(corners):
    boxes = np.array(
        [[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in corners]
    ).reshape(-1, 4)
    wide, high = 20, 4
    places = place_labels(boxes, [(wide, high)] * len(boxes), 100, 100)
    for left, top in places:
        assert 0 <= left <= 100 - wide
        assert 0 <= top <= 100 - high
    for one, other in itertools.combinations(places, 2):
        assert not overlap(one, other, wide, high)
