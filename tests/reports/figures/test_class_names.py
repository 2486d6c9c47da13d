"""Short names of classes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfcbench.datasets.cifar100_classes import CIFAR100_CLASSES
from hfcbench.reports.figures.class_names import name_of, short_names


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["cat", "automobile"], ["cat", "automobile"]),
        (["aquarium_fish", "maple_tree"], ["aquarium fi…", "maple tree"]),
        (["tench, Tinca tinca", "twelve chars"], ["tench", "twelve chars"]),
        # Cut where a word ends, without the blank.
        (["hourglasses in a row"], ["hourglasses…"]),
        (
            ["American black bear", "frog", "American black widow"],
            ["American… #0", "frog", "American… #2"],
        ),
        (["crane, bird", "crane, machine"], ["crane #0", "crane #1"]),
        (["", " ", "line\nfeed\x1b"], ["class 0", "class 1", "line feed"]),
    ],
)
def test_names_by_hand(names: list[str], expected: list[str]) -> None:
    assert short_names(names) == expected


def test_a_class_without_a_name_is_its_number() -> None:
    assert [name_of(["cat", "dog"], number) for number in (1, 2, -1)] == [
        *("dog", "class 2", "class -1")
    ]


def test_the_names_of_a_real_dataset_stay_apart() -> None:
    short = short_names(CIFAR100_CLASSES)
    assert len(set(short)) == 100
    assert short[:4] == ["apple", "aquarium fi…", "baby", "bear"]


@given(st.lists(st.text(alphabet="ab_, ", max_size=40), max_size=30))
def test_no_name_is_long_and_no_two_are_alike(names: list[str]) -> None:
    short = short_names(names)
    assert len(short) == len(set(short)) == len(names)
    assert all(0 < len(name) <= 12 for name in short)
