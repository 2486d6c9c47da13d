"""Estimates over the same images: exact in hand calculations, right as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from build_results import answers

from hfcbench.reports.claims.estimates import (
    Effect,
    answered,
    combined,
    deciding,
    mean,
    proportion,
)

TRIALS = 2000


def coverage(truth, draw, n):
    """How often intervals cover the truth, and their mean width beside that of independence."""
    generator = np.random.default_rng(7)
    covered, paired, independent = 0, 0.0, 0.0
    for _ in range(TRIALS):
        rows = draw(generator, n)
        shares = [answered(answers(row)) for row in rows]
        unknown = [proportion(row.mean(), n) for row in rows]
        found, other = (
            combined("", [contrast(parts)], comparisons=1) for parts in (shares, unknown)
        )
        covered += found.low <= truth <= found.high
        paired += found.high - found.low
        independent += other.high - other.low
    return covered / TRIALS, paired / independent


def contrast(parts):
    if len(parts) == 2:
        return parts[0] - parts[1]
    return (parts[0] - parts[1]) - (parts[2] - parts[3])


def correlated(accuracies, luck):
    """Rows that are right where a difficulty, shared but for some luck, is below their skill."""

    def draw(generator, n):
        difficulty = generator.random(n)
        rows = []
        for accuracy in accuracies:
            own = np.where(generator.random(n) < luck, generator.random(n), difficulty)
            rows.append(own < accuracy)
        return rows

    return draw


@pytest.mark.parametrize("n", [100, 1000])
@pytest.mark.parametrize("luck", [0.1, 0.3])
def test_differences_of_correlated_answers_are_covered(n, luck):
    covered, width = coverage(0.06, correlated((0.76, 0.70), luck), n)
    assert 0.93 <= covered <= 0.98
    assert width < (0.6 if luck == 0.1 else 0.8)


def test_answers_that_are_independent_gain_nothing():
    covered, width = coverage(0.06, correlated((0.76, 0.70), 1.0), 500)
    assert 0.93 <= covered <= 0.98
    assert width == pytest.approx(1, abs=0.01)


def test_rare_differences_are_covered():
    covered, width = coverage(0.004, correlated((0.964, 0.96), 0.02), 1000)
    assert 0.93 <= covered <= 0.98
    assert width < 0.4


def test_differences_of_differences_are_covered():
    covered, width = coverage(0.05, correlated((0.7, 0.5, 0.55, 0.4), 0.2), 500)
    assert 0.93 <= covered <= 0.98
    assert width < 0.75


def test_means_over_the_same_images_are_exact_and_of_others_bounded():
    first = np.array([True, True, False, False] * 10)
    second = np.array([True, False, False, False] * 10)
    same = mean([answered(answers(first)), answered(answers(second))])
    # Image by image 1, 1/2, 0, 0. The two added images: mean 1/2, square 1/4 + 1/8.
    centre, square = (15 + 1) / 42, (10 + 10 / 4 + 2 * 3 / 8) / 42
    assert same.value == pytest.approx(0.375)
    assert same.variance == pytest.approx((square - centre**2) / 40)
    unknown = [proportion(0.5, 40), proportion(0.25, 40)]
    assert mean(unknown).variance == pytest.approx((unknown[0].variance + unknown[1].variance) / 2)
    mixed = mean([answered(answers(first)), proportion(0.25, 40)])
    assert mixed.variance == pytest.approx(mean(unknown).variance)


def test_a_share_alone_is_the_same_with_and_without_its_images():
    known, unknown = answered(answers(np.arange(50) < 20)), proportion(0.4, 50)
    assert known.value == unknown.value
    assert known.variance == pytest.approx(unknown.variance)
    assert unknown.variance == pytest.approx((21 / 52) * (31 / 52) / 50)


def test_equal_answers_leave_some_doubt():
    same = answered(answers(np.ones(100, bool)))
    difference = same - answered(answers(np.ones(100, bool)))
    assert difference.value == 0
    # One of the two added images is right in one row only, on average: variance 1/102/100.
    assert math.sqrt(difference.variance) == pytest.approx(math.sqrt(1 / 102 / 100))


SUPPORTS, CONTRADICTS, NARROW, WIDE = (
    Effect(name, (low + high) / 2, low, high, 2)
    for name, low, high in (
        ("supports", 0.1, 0.3),
        ("contradicts", -0.3, -0.1),
        ("narrow", -0.1, 0.1),
        # Reaches farther down than what contradicts, and still says nothing.
        ("wide", -0.9, 0.9),
    )
)


@pytest.mark.parametrize(
    ("effects", "any_of", "expected"),
    [
        ((SUPPORTS, WIDE, CONTRADICTS), False, CONTRADICTS),
        ((SUPPORTS, NARROW, WIDE), False, WIDE),
        ((SUPPORTS, SUPPORTS), False, SUPPORTS),
        ((SUPPORTS, WIDE, CONTRADICTS), True, SUPPORTS),
        ((CONTRADICTS, NARROW, WIDE), True, NARROW),
        ((CONTRADICTS, CONTRADICTS), True, CONTRADICTS),
    ],
)
def test_the_effect_that_is_shown_has_the_verdict_of_the_claim(effects, any_of, expected):
    assert deciding(effects, any_of=any_of) is expected
