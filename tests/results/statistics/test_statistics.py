"""Statistics against published examples, exact enumeration and coverage in simulations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hfcbench.errors import UsageError
from hfcbench.results.statistics import (
    METHODS,
    Answers,
    ImageSet,
    adjusted,
    bootstrap_interval,
    compare_pair,
    contrast_variance,
    rank_intervals,
    share_variance,
    wilson,
    worst_case,
)
from hfcbench.sampling import chosen_images


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    # Newcombe (1998), table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(correct, n, low, high):
    found = wilson(correct, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_no_images_no_interval():
    assert math.isnan(wilson(0, 0).low)
    assert math.isnan(bootstrap_interval(np.array([])).high)
    assert math.isnan(bootstrap_interval(np.array([1.0, math.nan])).low)


def test_bootstrap_against_all_resamples_of_four_values():
    values = np.array([0.1, 0.4, 1.7, 3.0])
    means = sorted(np.mean(sample) for sample in itertools.product(values, repeat=4))
    exact = np.quantile(means, (0.025, 0.975))
    found = bootstrap_interval(values, resamples=20_000)
    assert (found.low, found.high) == pytest.approx(tuple(exact), abs=0.06)


def test_bootstrap_of_a_proportion_is_the_binomial_one():
    from scipy.stats import binom

    values = np.arange(200) < 130
    found = bootstrap_interval(values)
    expected = binom.ppf((0.025, 0.975), 200, 0.65) / 200
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.0051)
    assert found == bootstrap_interval(values.astype(float))


def test_a_constant_has_no_spread():
    for values in (np.full(9, 0.25), np.ones(3, bool), np.array([2.5])):
        found = bootstrap_interval(values)
        assert found.low == found.high == values[0]


@pytest.mark.parametrize("kind", ["accuracy", "loss"])
def test_intervals_cover_the_truth_about_as_often_as_they_say(kind):
    generator = np.random.default_rng(3)
    truth, covered, trials = (0.7, 0, 300) if kind == "accuracy" else (1.0, 0, 300)
    for trial in range(trials):
        if kind == "accuracy":
            values = generator.random(400) < truth
        else:
            values = generator.exponential(truth, size=400)
        interval = bootstrap_interval(values, resamples=999, seed=trial)
        covered += interval.low <= truth <= interval.high
    assert 0.91 <= covered / trials <= 0.985


def answers(both: int, only_first: int, only_second: int, neither: int):
    first = np.repeat([True, True, False, False], [both, only_first, only_second, neither])
    second = np.repeat([True, False, True, False], [both, only_first, only_second, neither])
    return first, second


def test_mcnemar_by_hand():
    # (|59 - 121| - 1)^2 / (59 + 121) = 20.672: far beyond the 10.83 of p = 0.001.
    from scipy.stats import chi2

    found = compare_pair(*answers(101, 121, 59, 33))
    assert (found.both, found.only_first, found.only_second, found.neither) == (101, 121, 59, 33)
    assert found.test == "chi-square"
    assert found.p_value == pytest.approx(chi2.sf(61**2 / 180, 1))
    assert found.difference == pytest.approx((121 - 59) / 314)
    # Eight against two: 2 * (C(10,0) + C(10,1) + C(10,2)) / 2^10 = 112 / 1024.
    few = compare_pair(*answers(20, 8, 2, 5))
    assert few.test == "exact"
    assert few.p_value == pytest.approx(112 / 1024)


def test_the_interval_of_a_difference_is_that_of_the_normal_approximation():
    both, one, other, neither = 600, 90, 60, 250
    n = both + one + other + neither
    found = compare_pair(*answers(both, one, other, neither))
    deviation = math.sqrt(one + other - (one - other) ** 2 / n) / n
    expected = [(one - other) / n + sign * 1.96 * deviation for sign in (-1, 1)]
    assert [found.interval.low, found.interval.high] == pytest.approx(expected, abs=0.0015)


def test_rows_that_answer_alike():
    found = compare_pair(*answers(30, 0, 0, 12))
    assert (found.difference, found.p_value) == (0, 1)
    assert found.interval.low == found.interval.high == 0


def test_rows_of_other_images_cannot_be_compared():
    with pytest.raises(UsageError, match="cannot be compared"):
        compare_pair(np.ones(3, bool), np.ones(4, bool))
    with pytest.raises(UsageError, match="cannot be compared"):
        compare_pair(np.ones(0, bool), np.ones(0, bool))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=4, max_size=4).filter(sum))
def test_swapping_rows_turns_the_difference_around(counts):
    first, second = answers(*counts)
    one, other = compare_pair(first, second), compare_pair(second, first)
    assert one.difference == -other.difference
    assert one.p_value == pytest.approx(other.p_value)
    assert one.interval.low <= one.difference <= one.interval.high


def test_corrections_by_hand():
    values = [0.01, 0.04, 0.03]
    assert adjusted(values) == pytest.approx([0.03, 0.06, 0.06])
    assert adjusted(values, "bonferroni") == pytest.approx([0.03, 0.12, 0.09])
    assert adjusted(values, "benjamini-hochberg") == pytest.approx([0.03, 0.04, 0.04])
    factor = 1 + 1 / 2 + 1 / 3
    expected = [0.03 * factor, 0.04 * factor, 0.04 * factor]
    assert adjusted(values, "benjamini-yekutieli") == pytest.approx(expected)
    assert adjusted(values, "none") == values


def test_missing_comparisons_do_not_count():
    found = adjusted([0.01, math.nan, 0.04])
    assert found[0] == pytest.approx(0.02)
    assert math.isnan(found[1])
    assert adjusted([]) == []
    with pytest.raises(UsageError, match="no correction 'holms'; did you mean 'holm'"):
        adjusted([0.1], "holms")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.sampled_from(sorted(METHODS)))
def test_a_correction_never_makes_anything_more_certain(values, method):
    for before, after in zip(values, adjusted(values, method), strict=True):
        assert before <= after + 1e-12 <= 1 + 1e-12


def test_clear_ranks_and_a_tie():
    generator = np.random.default_rng(0)
    shared = generator.random(2_000)
    # Two rows that answer exactly alike, one clearly better and one clearly worse.
    rows = np.stack([shared < 0.5, shared < 0.8, shared < 0.5, shared < 0.2])
    low, high = rank_intervals(rows)
    assert low.tolist() == [2, 1, 2, 4]
    assert high.tolist() == [3, 1, 3, 4]
    low, high = rank_intervals(rows, higher_is_better=False)
    assert low.tolist() == [2, 4, 2, 1]


def test_rank_intervals_against_all_resamples():
    rows = np.array([[1, 1, 0, 1], [1, 0, 1, 0], [0, 0, 1, 0]], dtype=float)
    lowest, highest = [[], [], []], [[], [], []]
    for sample in itertools.product(range(4), repeat=4):
        means = rows[:, list(sample)].mean(axis=1)
        for row in range(3):
            lowest[row].append(1 + sum(other > means[row] for other in means))
            highest[row].append(sum(other >= means[row] for other in means))
    low, high = rank_intervals(rows, confidence=0.6, resamples=20_000)
    assert low.tolist() == [int(np.quantile(item, 0.2, method="lower")) for item in lowest]
    assert high.tolist() == [int(np.quantile(item, 0.8, method="higher")) for item in highest]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 60), st.integers(0, 1000))
def test_a_rank_interval_holds_the_rank(rows, images, seed):
    values = np.random.default_rng(seed).random((rows, images)) < 0.5
    low, high = rank_intervals(values, resamples=400)
    sums = values.sum(axis=1)
    best = np.array([1 + (sums > own).sum() for own in sums])
    worst = np.array([(sums >= own).sum() for own in sums])
    assert (low <= worst).all()
    assert (high >= best).all()
    assert (low <= high).all()


def test_a_difference_of_shares_by_agresti_and_min():
    # Twelve images: 5 both, 3 only the first, 1 only the second, 3 neither.
    first, second = np.array([1] * 8 + [0] * 4), np.array([1] * 5 + [0] * 3 + [1] + [0] * 3)
    one_more, other_more, n = 3 + 0.5, 1 + 0.5, 12 + 2
    wald = (one_more + other_more - (one_more - other_more) ** 2 / n) / n**2
    # The same spread, over the 12 images that there are.
    assert contrast_variance([1, -1], [first, second]) == pytest.approx(wald * n / 12)
    assert share_variance(8 / 12, 12) == pytest.approx(9 / 14 * 5 / 14 / 12)
    assert contrast_variance([1], [first]) == pytest.approx(share_variance(8 / 12, 12))


def test_any_contrast_of_many_images_has_the_variance_of_its_covariances():
    generator = np.random.default_rng(1)
    difficulty = generator.random(20_000)
    rows = [difficulty + generator.normal(0, 0.2, 20_000) < skill for skill in (0.3, 0.5, 0.6, 0.8)]
    weights = np.array([1.0, -1.0, -0.5, 0.5])
    expected = weights @ np.cov(np.array(rows, float)) @ weights / 20_000
    assert contrast_variance(weights, rows) == pytest.approx(expected, rel=1e-3)


@given(st.integers(1, 30), st.integers(1, 4), st.booleans())
def test_a_variance_is_never_zero(n, rows, right):
    weights = [(-1.0) ** row for row in range(rows)]
    assert contrast_variance(weights, [np.full(n, right)] * rows) > 0
    assert share_variance(float(right), n) > 0


def answered(right, *, n=None, split="test", fingerprint="f"):
    """Answers to n of ten images (all if None) from whether each of the ten is right."""
    chosen = chosen_images(10, n)
    images = ImageSet(fingerprint, split, 10, len(chosen), str(n))
    labels = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3])
    return Answers(images, labels[chosen], np.array([digit == "1" for digit in right])[chosen])


def test_a_worst_case_is_right_where_every_row_is():
    clean, first, second = (answered(text) for text in ("1111100000", "1110011111", "1011111111"))
    found = worst_case([clean, first, second])
    assert found.right.tolist() == [True, False, True] + [False] * 7
    assert found.accuracy == 0.2
    assert found.images == clean.images
    assert worst_case([clean]).right.tolist() == clean.right.tolist()


def test_a_worst_case_pairs_by_image():
    chosen = chosen_images(10, 4).tolist()
    right = ["1" if image in chosen[:3] else "0" for image in range(10)]
    wrong_when_clean = "".join("0" if image == chosen[0] else "1" for image in range(10))
    attacked = answered("".join(right), n=4)
    found = worst_case([answered(wrong_when_clean), attacked, answered("1" * 10, n=7)])
    assert found.right.tolist() == [False, True, True, False]
    assert found.images == attacked.images
    assert found.labels.tolist() == attacked.labels.tolist()


@given(st.integers(1, 300), st.data())
def test_fewer_images_are_among_more(size, data):
    more = data.draw(st.integers(1, size + 5))
    fewer = data.draw(st.integers(1, more))
    few, many = chosen_images(size, fewer), chosen_images(size, more)
    assert set(few) <= set(many) <= set(range(size))
    assert len(few) == min(fewer, size)
    assert (np.diff(few) > 0).all()


def test_what_has_no_worst_case():
    clean = answered("1" * 10)
    for other in (answered("1" * 10, split="train"), answered("1" * 10, fingerprint="g")):
        with pytest.raises(UsageError, match="different datasets or splits"):
            worst_case([clean, other])
    attacked = answered("1" * 10, n=4)
    elsewhere = Answers(attacked.images, attacked.labels + 1, attacked.right)
    with pytest.raises(UsageError, match="4 and 10 images of split 'test' cannot be paired"):
        worst_case([clean, elsewhere])
