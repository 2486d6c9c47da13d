"""`hfcbench gains`: counts and lists of pictures, for people and for programs."""

from __future__ import annotations

import json
import math

import build_records as build
import pytest

from hfcbench.cli.main import call
from hfcbench.results.opening import open_store

ORIGINAL = (0.5, math.nan, 0.25, 1.0)
LOW = (0.75, math.nan, 0.25, 0.5)
HIGH = (0.0, math.nan, 0.5, 0.0)


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "results.db"
    with open_store(path, create=True) as store:
        run = store.begin_run(build.run())
        store.add_dataset(build.detection_dataset())
        training = build.detector()
        store.add_training(training, run)
        store.add_evaluations(
            [
                build.detected(training, "original", pictures=ORIGINAL),
                build.detected(training, "lfc@8", pictures=LOW),
                build.detected(training, "hfc@8", pictures=HIGH),
            ],
            run,
        )
    return str(path)


def printed(capsys, *arguments):
    code = call(["gains", *arguments])
    assert code == 0
    return capsys.readouterr()


def test_how_many_pictures_gain_and_drop(database, capsys):
    rows = json.loads(printed(capsys, "--db", database, "--format", "json").out)
    counts = {
        row["component"]: [row[name] for name in ("n", "pictures", "gains", "drops", "equal")]
        for row in rows
    }
    assert counts == {"lfc@8": [4, 3, 1, 1, 1], "hfc@8": [4, 3, 1, 2, 0]}
    (low,) = (row for row in rows if row["component"] == "lfc@8")
    assert low["difference"] == pytest.approx((0.25 - 0.5) / 3)


def test_the_table_for_people(database, capsys):
    shown = printed(capsys, "--db", database)
    heading, *lines = shown.out.splitlines()
    assert heading.split()[-1] == "training"
    (low,) = (line for line in lines if " lfc@8 " in line)
    assert low.split()[-8:-1] == ["3", "1", "1", "1", "0.583", "0.500", "-0.083"]
    assert any(" hfc@8 " in line for line in lines)
    assert "map of single pictures" in shown.err


def test_the_pictures_that_change_most(database, capsys):
    shown = printed(capsys, "--db", database, "--largest", "1", "--radius", "8")
    lines = [line for line in shown.out.splitlines() if " lfc@8 " in line]
    assert [line.split()[-5] for line in lines] == ["a.jpg", "d.jpg"]
    assert [line.split()[-1] for line in lines] == ["0.250", "-0.500"]


def test_a_metric_that_is_not_kept_for_pictures(database, capsys):
    assert call(["gains", "--db", database, "--metric", "top1"]) == 2
    assert "top1" in capsys.readouterr().err
