"""The gap and its interval, against a calculation by hand."""

from __future__ import annotations

import math

import build_records as build
import pytest

from hfcbench.reports.site.reading import read_overview
from hfcbench.results.opening import open_store


def test_the_interval_is_of_the_difference_image_by_image(tmp_path):
    with open_store(tmp_path / "results.db", create=True) as store:
        store.add_dataset(build.dataset())
        run_id = store.begin_run(build.run())
        training = build.training()
        store.add_training(training, run_id)
        # Right in both 70, in neither 10; 18 images are lost without high frequencies, 2 are won.
        original, part = set(range(12)), set(range(10)) | set(range(12, 30))
        defended = {"defence": "low-pass"}
        records = [
            build.answered(training, original),
            build.answered(training, part, component="lfc@8"),
            build.answered(training, original, **defended),
            build.answered(training, original, component="lfc@8", **defended),
        ]
        store.add_evaluations(records, run_id)
        (board,) = read_overview(store).boards
    first, second = board.frame.sort_values("gap", ascending=False).to_dict("records")
    assert first["gap"] == pytest.approx(0.16)
    # 18 ones, 2 minus ones and 80 zeros, and two images that are half each (Agresti and Min, 2005).
    variance = (21 / 102 - (16 / 102) ** 2) / 100
    assert first["gap_high"] - first["gap"] == pytest.approx(1.96 * math.sqrt(variance), rel=1e-4)
    assert first["gap"] - first["gap_low"] == pytest.approx(1.96 * math.sqrt(variance), rel=1e-4)
    # The same images are wrong in both.
    assert second["gap"] == 0
    assert second["gap_high"] == pytest.approx(1.96 * math.sqrt(1 / 102 / 100), rel=1e-4)


def test_without_stored_answers_a_gap_has_no_interval(database):
    with open_store(database, read_only=True) as store:
        *_, detectors = read_overview(store).boards
    (row,) = detectors.frame.to_dict("records")
    assert row["gap"] == 0.25
    assert math.isnan(row["gap_low"])
    assert math.isnan(row["gap_high"])
