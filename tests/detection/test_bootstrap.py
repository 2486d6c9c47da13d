"""Intervals from resampled values."""

from __future__ import annotations

import numpy as np

from hfcbench.detection.bootstrap import basic_interval


def test_basic_intervals_are_quantiles_mirrored_at_the_value():
    resampled = np.linspace(0.4, 0.6, 1001)[:, None]  # quantiles 0.405 and 0.595
    low, high = basic_interval(np.array([0.45]), resampled)
    np.testing.assert_allclose((low[0], high[0]), (0.9 - 0.595, 0.9 - 0.405), atol=1e-12)


def test_basic_intervals_are_shares_and_hold_the_value():
    resampled = np.linspace(0.4, 0.6, 1001)[:, None] * np.ones(3)
    value = np.array([0.2, 0.9, np.nan])
    low, high = basic_interval(value, resampled)
    np.testing.assert_allclose(low, [0, 0.9, np.nan])
    np.testing.assert_allclose(high, [0.2, 1, np.nan])
