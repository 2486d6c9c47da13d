"""The same store on a real PostgreSQL server."""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hfcbench.errors import StoreError
from hfcbench.results.database import migrating
from hfcbench.results.database.location import parse_location
from hfcbench.results.database.revisions import REVISIONS
from hfcbench.results.opening import open_store
from hfcbench.results.schema import Base


def test_everything_that_is_stored_comes_back(postgresql_url: str, build: ModuleType) -> None:
    training = build.training()
    records = [
        build.evaluation(training, value=0.75),
        build.evaluation(training, "lfc@8", value=0.5),
        build.evaluation(training, "hfc@8", value=math.nan),
        build.evaluation(training, attack="fgsm", epsilon=8 / 255, value=0.25, n=30),
    ]
    with open_store(postgresql_url, create=True) as store:
        store.add_dataset(build.dataset())
        run_id = store.begin_run(build.run())
        store.add_training(training, run_id)
        for _ in range(2):
            store.add_evaluations(records, run_id)
        store.add_failure(build.failure(), run_id)
        store.finish_run(run_id, "finished")
    with open_store(postgresql_url, read_only=True) as store:
        frame = store.evaluations()
        assert frame["value"].fillna(-1).tolist() == [0.75, 0.5, -1, 0.25]
        stored = store.predictions(records[0].identity)
        np.testing.assert_array_equal(stored.loss, records[0].predictions.loss)
        board = store.leaderboard(rank_intervals=True).frame
        assert board["original"].tolist() == [0.75]
        assert board["lfc@8"].tolist() == [0.5]
        assert len(store.curves()) == len(training.curve)
        assert store.provenance(training.identity[:8]).training["seed"] == 0
        for view, count in (("results", 4), ("leaderboard", 1), ("robustness", 1)):
            assert store.query(f"SELECT count(*) FROM {view}")[1] == [(count,)]
        with pytest.raises(StoreError, match="cannot be answered"):
            store.query("DELETE FROM scores")
        with pytest.raises(StoreError, match="reading only"):
            store.begin_run(build.run())


def test_up_and_down_and_up_again(postgresql_url: str, build: ModuleType) -> None:
    location = parse_location(postgresql_url)
    training = build.training(heuristics="batchnorm+mixup(alpha=0.5)")
    with open_store(postgresql_url, create=True) as store:
        store.add_dataset(build.dataset())
        run_id = store.begin_run(build.run())
        store.add_training(training, run_id)
        values = {"original": 0.75, "lfc@8": 0.5, "band@4-8": 0.25}
        store.add_evaluations(
            [build.evaluation(training, name, value=value) for name, value in values.items()],
            run_id,
        )
        before = store.evaluations()
    for revision in REVISIONS[-2::-1]:
        migrating.downgrade(location, revision)
    with open_store(postgresql_url) as store:
        after = store.evaluations()
        assert after.equals(before)
        assert store.leaderboard(heuristic="mixup").frame["original"].tolist() == [0.75]
        run_id = store.begin_run(build.run())
        store.add_evaluations([build.evaluation(training, "hfc@8", value=0.1)], run_id)
        assert len(store.evaluations()) == 4
        with store._engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, Base.metadata) == []


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        open_store("postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=2", create=True)
