"""Records in, records out; nothing overwritten, nothing half-written."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import ModuleType

import numpy as np
import pytest

from hfcbench.errors import StoreError
from hfcbench.results.opening import open_store
from hfcbench.results.records import ArtifactRecord, PluginRecord, ScoreRecord
from hfcbench.results.store import Store
from hfcbench.results.writing.lookups import StoredTraining
from hfcbench.runner.specification import canonical_json
from hfcbench.types import Score

Count = Callable[[str], int]


def test_runs_know_their_plugins_and_their_end(store: Store, build: ModuleType) -> None:
    first = store.begin_run(build.run())
    second = store.begin_run(build.run(plugins=(PluginRecord("jpeg", "hfcbench-jpeg", "0.3.0"),)))
    store.finish_run(first, "finished")
    assert second > first
    _, runs = store.query("SELECT run_id, started_at, finished_at, status, git_dirty FROM runs")
    assert runs[0][1] == "2026-03-01 12:30:15.250000"
    finished = datetime.fromisoformat(runs[0][2]).replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - finished) < timedelta(minutes=1)
    assert [row[2:] for row in runs[1:]] == [(None, "running", 0)]
    assert runs[0][3] == "finished"
    _, plugins = store.query(
        "SELECT run_id, name, version FROM run_plugins JOIN plugins USING (plugin_id) "
        "ORDER BY run_id, name"
    )
    assert plugins == [
        (first, "builtin", "0.1.0"),
        (first, "jpeg", "0.2.0"),
        (second, "jpeg", "0.3.0"),
    ]


def test_finishing_a_run_that_never_began(store: Store) -> None:
    with pytest.raises(StoreError, match="no run 7"):
        store.finish_run(7, "finished")


def test_times_are_stored_in_utc_and_need_a_zone(store: Store, build: ModuleType) -> None:
    plus_two = datetime(2026, 3, 1, 14, 30, tzinfo=timezone(timedelta(hours=2)))
    store.begin_run(build.run(started_at=plus_two))
    assert store.query("SELECT started_at FROM runs")[1] == [("2026-03-01 12:30:00.000000",)]
    with pytest.raises(StoreError, match="no time zone"):
        store.begin_run(build.run(started_at=datetime(2026, 3, 1)))
    assert store.query("SELECT count(*) FROM runs")[1] == [(1,)]


def test_a_dataset_is_known_by_name_version_and_content(
    store: Store, build: ModuleType, count: Count
) -> None:
    for record in (
        build.dataset(),
        build.dataset(parameters={"tile": 64}),
        build.dataset(version="2"),
        build.dataset(fingerprint="f" * 64),
    ):
        store.add_dataset(record)
    assert count("datasets") == 3
    _, rows = store.query("SELECT parameters, classes, sizes FROM datasets ORDER BY dataset_id")
    assert rows[0] == ('{"tile":32}', '["Katze","Hünd"]', '{"test":100,"train":200}')


def test_trainings_come_back(store: Store, run_id: int, build: ModuleType) -> None:
    record = build.training()
    store.add_training(record, run_id)
    assert store.trainings([record.identity, "0" * 64]) == {
        record.identity: StoredTraining(
            record.checkpoint,
            frozenset(
                {
                    ("test", "original", None, None, 100),
                    ("test", "lfc@8", "fft-radial", "none", 100),
                }
            ),
        )
    }
    _, rows = store.query("SELECT model_version, seed, parameter_count FROM trainings")
    assert rows == [("1", 0, 3_000_000_000)]


def test_training_labels_come_back_and_are_added_where_they_lack(
    store: Store, run_id: int, build: ModuleType, count: Count
) -> None:
    record = build.training()
    labels = ArtifactRecord("training-labels", "a/b.labels.safetensors", "cd", 7)
    store.add_training(record, run_id)
    assert store.trainings([record.identity])[record.identity].labels is None
    for kept in (labels, replace(labels, path="elsewhere", sha256="ef")):
        store.add_artifacts(record.identity, replace(record, labels=kept).artifacts)
        assert store.trainings([record.identity])[record.identity].labels == labels
    assert count("artifacts") == 2
    other = replace(build.training(seed=1), labels=labels)
    store.add_training(other, run_id)
    found = store.trainings([other.identity])[other.identity]
    assert (found.checkpoint, found.labels) == (other.checkpoint, labels)
    with pytest.raises(StoreError, match="does not stay in the artifacts folder"):
        store.add_artifacts(record.identity, [replace(labels, path="../x")])


def test_a_stored_specification_is_what_its_identity_was_made_of(
    store: Store, run_id: int, build: ModuleType
) -> None:
    record = build.training(model="Größe \u2192 resnet")
    store.add_training(record, run_id)
    _, [(text, identity)] = store.query("SELECT specification, identity FROM trainings")
    assert text == canonical_json(record.specification)
    assert hashlib.sha256(text.encode()).hexdigest() == identity


def test_the_first_of_equal_trainings_stays(
    store: Store, run_id: int, build: ModuleType, count: Count
) -> None:
    first = build.training()
    other_file = replace(first.checkpoint, sha256="cd")
    store.add_training(first, run_id)
    store.add_training(replace(first, device="cuda", checkpoint=other_file), run_id)
    assert store.trainings([first.identity])[first.identity].checkpoint == first.checkpoint
    assert (count("trainings"), count("artifacts"), count("epochs")) == (1, 1, 4)
    assert store.query("SELECT device FROM trainings")[1] == [("cpu",)]


def test_a_training_of_an_unknown_dataset_is_refused(
    store: Store, run_id: int, build: ModuleType, count: Count
) -> None:
    with pytest.raises(StoreError, match="dataset birds with fingerprint"):
        store.add_training(build.training(dataset_name="birds"), run_id)
    assert count("trainings") == 0


def test_a_training_belongs_to_the_version_of_its_specification(
    store: Store, run_id: int, build: ModuleType
) -> None:
    store.add_dataset(build.dataset(version="2"))
    store.add_training(build.training(), run_id)
    _, rows = store.query("SELECT version FROM trainings JOIN datasets USING (dataset_id)")
    assert rows == [("1",)]


@pytest.mark.parametrize("place", ["/top", "../up", "a/../../b", "C:\\x", "", "..\\x"])
def test_checkpoints_stay_in_their_folder(
    store: Store, run_id: int, build: ModuleType, place: str
) -> None:
    checkpoint = ArtifactRecord("checkpoint", place, "ab", 1)
    with pytest.raises(StoreError, match="artifact path"):
        store.add_training(build.training(checkpoint=checkpoint), run_id)
    assert store.trainings([build.training().identity]) == {}


def test_curves_take_only_what_is_missing(
    store: Store, run_id: int, build: ModuleType, count: Count
) -> None:
    record = build.training()
    store.add_training(record, run_id)
    changed = [replace(point, value=9.0) for point in record.curve]
    store.add_curve(record.identity, changed)
    store.add_curve(record.identity, build.curve(["hfc@8", "original"], n=50))
    store.add_curve(record.identity, [])
    assert (count("curves"), count("epochs")) == (4, 8)
    assert store.curves()["value"].max() == 0.5
    keys = store.trainings([record.identity])[record.identity].curve_keys
    assert ("test", "original", None, None, 50) in keys
    with pytest.raises(StoreError, match="training 000000000000 is not in the database"):
        store.add_curve("0" * 64, record.curve)


def test_evaluations_come_back(store: Store, run_id: int, build: ModuleType, count: Count) -> None:
    training = build.training()
    store.add_training(training, run_id)
    records = [
        build.evaluation(training),
        build.evaluation(training, "lfc@8", predictions=build.predictions(seed=5)),
        build.evaluation(training, "band@4-8", decomposition="fft-band"),
        build.evaluation(training, attack="fgsm", epsilon=0.03, n=30),
    ]
    store.add_evaluations(records, run_id)
    identities = [record.identity for record in records]
    assert store.evaluations_done([*identities, "0" * 64]) == set(identities)
    for record in records:
        stored = store.predictions(record.identity)
        for name in ("labels", "predicted", "confidence", "loss"):
            np.testing.assert_array_equal(getattr(stored, name), getattr(record.predictions, name))
    # Labels are stored once for all evaluations of the same images.
    assert count("label_sets") == 2
    _, rows = store.query(
        "SELECT component, part, cutoff, cutoff_inner, decomposition_version, attack_version, n "
        "FROM evaluations JOIN conditions USING (condition_id) ORDER BY evaluation_id"
    )
    assert rows == [
        ("original", "original", None, None, None, None, 100),
        ("lfc@8", "lfc", 8.0, None, "1", None, 100),
        ("band@4-8", "band", 8.0, 4.0, "1", None, 100),
        ("original", "original", None, None, None, "1", 30),
    ]


def test_the_first_of_equal_evaluations_stays_and_the_others_are_not_lost(
    store: Store, run_id: int, build: ModuleType, count: Count
) -> None:
    training = build.training()
    store.add_training(training, run_id)
    first, other = build.evaluation(training, value=0.5), build.evaluation(training, "lfc@8")
    store.add_evaluations([first], run_id)
    again = build.evaluation(
        training,
        value=0.9,
        predictions=build.predictions(seed=1),
        scores=[build.score(0.9), build.score(1.0, metric="loss")],
    )
    assert again.identity == first.identity
    store.add_evaluations([again, other, other], run_id)
    assert (count("evaluations"), count("predictions"), count("scores")) == (2, 2, 2)
    assert store.evaluations()["value"].tolist() == [0.5, 0.5]
    np.testing.assert_array_equal(
        store.predictions(first.identity).predicted, first.predictions.predicted
    )


def test_evaluations_are_stored_together_or_not_at_all(
    store: Store, run_id: int, build: ModuleType, count: Count
) -> None:
    training, unknown = build.training(), build.training(seed=1)
    store.add_training(training, run_id)
    with pytest.raises(StoreError, match=f"training {unknown.identity[:12]} is not"):
        store.add_evaluations([build.evaluation(training), build.evaluation(unknown)], run_id)
    with pytest.raises(StoreError, match="contradicts its schema"):
        store.add_evaluations([build.evaluation(training)], run_id + 1)
    for table in ("evaluations", "predictions", "scores", "label_sets"):
        assert count(table) == 0
    store.add_evaluations([], run_id)


def test_scores_are_added_by_metric_and_version(
    store: Store, run_id: int, build: ModuleType
) -> None:
    training = build.training()
    store.add_training(training, run_id)
    record = build.evaluation(training, value=0.5)
    store.add_evaluations([record], run_id)
    store.add_scores(
        record.identity,
        [build.score(0.1), build.score(0.2, version="2"), build.score(0.3, metric="loss")],
    )
    asked = [record.identity, "0" * 64]
    for scored in (("top1", "1"), ("top1", "2"), ("loss", "1")):
        assert store.unscored(asked, *scored) == set()
    for lacking in (("top1", "3"), ("loss", "2"), ("other", "1")):
        assert store.unscored(asked, *lacking) == {record.identity}
    assert store.evaluations(metric="top1")["value"].tolist() == [0.5, 0.2]
    with pytest.raises(StoreError, match="not in the database"):
        store.add_scores("0" * 64, [build.score(0.1)])
    with pytest.raises(StoreError, match="not in the database"):
        store.predictions("0" * 64)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, 5e-324, 1.7e308])
def test_scores_that_are_no_numbers_come_back_as_they_are(
    store: Store, run_id: int, build: ModuleType, value: float
) -> None:
    training = build.training(curve=[replace(build.curve()[0], value=value)])
    store.add_training(training, run_id)
    score = ScoreRecord("loss", "1", Score(value, value, math.inf, 100))
    store.add_evaluations([build.evaluation(training, scores=[score])], run_id)
    row = store.evaluations().iloc[0]
    np.testing.assert_array_equal([row["value"], row["low"], row["high"]], [value, value, math.inf])
    np.testing.assert_array_equal(store.curves()["value"], [value])


def test_failures_are_only_added(store: Store, run_id: int, build: ModuleType) -> None:
    store.add_failure(build.failure(), run_id)
    store.add_failure(build.failure(), run_id)
    # A path that is no valid text, and a zero byte: what a plugin's error may contain.
    store.add_failure(build.failure(error="a\udcff\0b"), run_id)
    _, rows = store.query("SELECT error, kind, failed_at FROM failures ORDER BY failure_id")
    assert rows[:2] == [("ValueError: no", "evaluation", "2026-03-01 12:30:15.250000")] * 2
    assert rows[2][0] == "a\\udcff\\x00b"


def test_lookups_of_many_identities(store: Store, run_id: int, build: ModuleType) -> None:
    training = build.training()
    store.add_training(training, run_id)
    records = [build.evaluation(training, procedure=str(number)) for number in range(3)]
    store.add_evaluations(records, run_id)
    unknown = [f"{number:064d}" for number in range(100_000)]
    asked = [records[0].identity, *unknown[:50_000], records[1].identity, *unknown[50_000:]]
    asked.append(records[2].identity)
    known = {record.identity for record in records}
    assert store.evaluations_done(asked) == known
    assert store.unscored(asked, "other", "1") == known
    assert store.trainings(unknown) == {}
    assert store.evaluations_done([]) == set()


def test_a_store_opened_for_reading_never_writes(
    store: Store, run_id: int, path: object, build: ModuleType
) -> None:
    with open_store(str(path), read_only=True) as reader:
        for write in (
            lambda: reader.begin_run(build.run()),
            lambda: reader.add_dataset(build.dataset()),
            lambda: reader.add_failure(build.failure(), run_id),
        ):
            with pytest.raises(StoreError, match="opened for reading only"):
                write()


def test_a_reader_sees_what_a_writer_has_finished(
    store: Store, run_id: int, path: object, build: ModuleType
) -> None:
    training = build.training()
    with open_store(str(path), read_only=True) as reader:
        assert reader.trainings([training.identity]) == {}
        store.add_training(training, run_id)
        assert set(reader.trainings([training.identity])) == {training.identity}
