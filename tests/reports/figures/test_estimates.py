"""Intervals against formulas worked out by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from hfcbench.reports.figures.estimates import difference, summarise, wilson_bounds


def rows(values: list[float], n: int = 100) -> pd.DataFrame:
    seeds = range(len(values))
    return pd.DataFrame({"of": "a", "seed": seeds, "value": values, "n": n})


def wilson(p: float, n: int) -> tuple[float, float]:
    z = 1.959963984540054
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def test_several_seeds_give_a_t_interval() -> None:
    (one,) = summarise(rows([0.5, 0.6, 0.7]), ["of"]).itertuples()
    # Standard deviation 0.1, t(0.975; 2) = 4.302653.
    half = 4.302653 * 0.1 / math.sqrt(3)
    assert one.value == pytest.approx(0.6)
    assert one.low == pytest.approx(0.6 - half, abs=1e-6)
    assert one.high == pytest.approx(0.6 + half, abs=1e-6)
    assert (one.seeds, one.n) == (3, 100)


def test_one_seed_gives_wilsons_interval() -> None:
    (one,) = summarise(rows([0.8]), ["of"]).itertuples()
    assert (one.low, one.high) == pytest.approx(wilson(0.8, 100))
    assert one.seeds == 1


def test_a_scores_own_interval_comes_first() -> None:
    given = rows([0.8]).assign(low=0.7, high=0.85)
    (one,) = summarise(given, ["of"]).itertuples()
    assert (one.low, one.high) == (0.7, 0.85)


def test_an_interval_over_seeds_stays_within_proportions() -> None:
    (one,) = summarise(rows([0.9, 1.0]), ["of"]).itertuples()
    assert one.high == 1.0
    (free,) = summarise(rows([0.9, 1.0]), ["of"], proportions=False).itertuples()
    # t(0.975; 1) = 12.706205, standard deviation 0.0707107.
    assert free.high == pytest.approx(0.95 + 12.706205 * 0.05, abs=1e-5)


def test_rows_of_one_seed_are_no_repetitions() -> None:
    twice = pd.concat([rows([0.8]), rows([0.8])])
    (one,) = summarise(twice, ["of"]).itertuples()
    assert one.seeds == 1
    assert (one.low, one.high) == pytest.approx(wilson(0.8, 100))


def test_no_images_no_interval() -> None:
    import numpy as np

    low, high = wilson_bounds(np.array([0.5]), np.array([0]))
    assert np.isnan([*low, *high]).all()


def test_difference_of_one_seed_is_newcombes() -> None:
    # Newcombe (1998), table II, example (a): 56/70 - 48/80, method 10 gives 0.0524 to 0.3339.
    first, second = rows([56 / 70], n=70), rows([48 / 80], n=80)
    assert difference(first, second) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_difference_of_seeds_is_paired() -> None:
    change, low, high = difference(rows([0.9, 0.8]), rows([0.7, 0.5]))
    # Differences 0.2 and 0.3: mean 0.25, standard deviation 0.0707107, t(0.975; 1) = 12.706205.
    assert change == pytest.approx(0.25)
    assert high - change == pytest.approx(12.706205 * 0.05, abs=1e-5)
    assert change - low == pytest.approx(high - change)


def test_difference_needs_a_common_seed() -> None:
    assert all(math.isnan(one) for one in difference(rows([0.9]), rows([0.9]).assign(seed=7)))
