"""Analyses in the store, through merges, checks and exports."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from hfcbench.errors import StoreError
from hfcbench.quantities import Axis, Quantity
from hfcbench.results.database.location import parse_location
from hfcbench.results.opening import open_store
from hfcbench.results.transfer.merge import merge


def assert_same(found, given):
    assert [item.name for item in found] == [item.name for item in given]
    for one, other in zip(found, given, strict=True):
        assert (one.unit, one.axes, one.n) == (other.unit, other.axes, other.n)
        for name in ("values", "low", "high"):
            arrays = getattr(one, name), getattr(other, name)
            assert (arrays[0] is None) == (arrays[1] is None)
            if arrays[0] is not None:
                np.testing.assert_array_equal(*arrays)
                assert arrays[0].dtype == arrays[1].dtype


@pytest.fixture
def filled(path, build):
    training = build.training()
    with open_store(path, create=True) as store:
        run_id = store.begin_run(build.run())
        store.add_dataset(build.dataset())
        store.add_training(training, run_id)
        store.add_analyses([build.analysis(training)], run_id)
    return path, build.analysis(training)


def test_quantities_come_back_as_they_were(filled):
    path, record = filled
    with open_store(path, read_only=True) as store:
        assert store.analyses_done([record.identity, "0" * 64]) == {record.identity}
        assert_same(store.quantities([record.identity])[record.identity], record.quantities)
        rows = store.query("SELECT name, value, low, high FROM quantities WHERE axes = '[]'")[1]
    assert rows == [
        ("share", 0.25, 0.125, 0.5),
        ("count", 7.0, None, None),
        ("threshold",) + 3 * (None,),
    ]


def test_a_second_result_is_ignored_and_a_training_must_be_known(filled, build):
    path, record = filled
    with open_store(path) as store:
        run_id = store.begin_run(build.run())
        other = build.analysis(build.training(), quantities=build.quantities(seed=1))
        assert other.identity == record.identity
        store.add_analyses([other], run_id)
        assert_same(store.quantities([record.identity])[record.identity], record.quantities)
        with pytest.raises(StoreError, match="add it first"):
            store.add_analyses([build.analysis(build.training(seed=9))], run_id)


def test_merging_adds_analyses_and_keeps_what_differs(filled, build, tmp_path):
    path, record = filled
    training = build.training()
    with open_store(tmp_path / "other.db", create=True) as other:
        run_id = other.begin_run(build.run())
        other.add_dataset(build.dataset())
        other.add_training(training, run_id)
        changed = build.analysis(training, quantities=build.quantities(seed=1))
        other.add_analyses([changed, build.analysis(training, "kernels")], run_id)
    for again in (False, True):
        report = merge(parse_location(path), parse_location(tmp_path / "other.db"))
        assert report.added["analyses"] == (0 if again else 1)
        assert report.known["analyses"] == (1 if again else 0)
        (line,) = report.disagreements
        assert "energy, pixels differ" in line
    with open_store(path, read_only=True) as store:
        assert_same(store.quantities([record.identity])[record.identity], record.quantities)
        assert store.query("SELECT kind FROM disagreements")[1] == [("analysis",)]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE analyses SET specification = '{}'", "not the hash of its specification"),
        ("UPDATE quantities SET array = x'00' WHERE name = 'energy'", "damaged"),
        ("UPDATE quantities SET axes = '[{}]' WHERE name = 'energy'", "damaged"),
        ("UPDATE quantities SET array = NULL WHERE name = 'energy'", "no values"),
        ("UPDATE quantities SET dtype = '<f8' WHERE name = 'energy'", "not expected"),
    ],
)
def test_check_finds_damage(filled, change, problem):
    from hfcbench.results.transfer.check import check

    path, _ = filled
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(change)
        connection.commit()
    with open_store(path, read_only=True) as store, store._reading() as connection:
        assert any(problem in str(found) for found in check(connection, None))


def test_arrays_must_have_the_shape_of_their_axes():
    with pytest.raises(ValueError, match=r"values of shape \(3,\), but its axes say \(2,\)"):
        Quantity("energy", "", np.zeros(3), (Axis("row", "", (0.0, 1.0)),))
