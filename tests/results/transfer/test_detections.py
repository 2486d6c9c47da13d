"""What detectors found wherever results go, and what a check finds to be wrong with it."""

from __future__ import annotations

import json
import math
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hfcbench.cli import main
from hfcbench.results.database.location import parse_location
from hfcbench.results.opening import open_store
from hfcbench.results.transfer.merge import MergeReport, merge

Fill = Callable[..., list[Any]]


def ask(path: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(sql, values).fetchall()
        connection.commit()
        return rows


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main.call(["db", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def join(target: Path, source: Path) -> MergeReport:
    return merge(parse_location(str(target)), parse_location(str(source)))


@pytest.fixture
def street(build: ModuleType) -> Fill:
    """Fill a database with a detector on two components; returns the evaluations."""

    def fill(
        url: Any, *, seed: int = 0, gain: float = 0.25, first: bool = True, **of_set: Any
    ) -> list[Any]:
        pictures = build.picture_set(**of_set)
        training = build.detector()
        records = [
            build.detected(training, among=pictures),
            build.detected(
                training,
                "lfc@8",
                value=0.375,
                pictures=(gain, math.nan, 0.75, 1.0),
                seed=1 + seed,
                among=pictures,
            ),
        ]
        none = build.detection_score(math.nan, [math.nan] * 4, metric="map-large")
        none = replace(none, classes={})
        records = [replace(one, scores=(*one.scores, none)) for one in records]
        with open_store(url, create=True) as store:
            store.add_dataset(build.detection_dataset())
            if first:
                # Other keys than in the database that it is merged with.
                store.add_dataset(build.dataset())
                store.begin_run(build.run(host="other"))
            run_id = store.begin_run(build.run())
            store.add_training(training, run_id)
            store.add_evaluations(records, run_id)
            store.finish_run(run_id, "finished")
        return records

    return fill


def everything(url: Any) -> list[Any]:
    """All that is stored of detectors, with natural keys in the place of numbers."""
    asked = (
        "SELECT identity, metrics.name, class_name, value, state, low, high, c.n FROM class_scores "
        "c JOIN metrics USING (metric_id) JOIN evaluations USING (evaluation_id) ORDER BY 1, 2, 3",
        "SELECT identity, metrics.name, position, value, state FROM picture_scores p "
        "JOIN metrics USING (metric_id) JOIN evaluations USING (evaluation_id) ORDER BY 1, 2, 3",
        "SELECT picture, component, difference FROM picture_gains ORDER BY 1, 2",
        "SELECT name, task FROM datasets WHERE task = 'detection'",
    )
    with open_store(url, read_only=True) as store:
        return [store.query(sql)[1] for sql in asked]


def contents(url: Any, records: list[Any], build: ModuleType) -> list[bytes]:
    with open_store(url, read_only=True) as store:
        return [build.content_of(store.detections(record.identity)) for record in records]


@pytest.mark.parametrize("server", [False, True])
def test_detections_are_merged(
    tmp_path: Path,
    street: Fill,
    filled: Callable[..., None],
    build: ModuleType,
    server: bool,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    source = tmp_path / "source.db"
    records = street(source)
    between: Any = tmp_path / "empty.db"
    if server:
        between = request.getfixturevalue("postgresql_url")
    # Its keys of datasets, metrics, trainings and evaluations are others.
    filled(between)
    run(capsys, "merge", source, "--db", between)
    assert everything(between) == everything(source)
    assert contents(between, records, build) == contents(source, records, build)
    assert run(capsys, "check", "--db", between).endswith("no problems\n")
    with open_store(between, read_only=True) as store:
        assert store.headline_metrics() == ("top1", "map")
        for metric, shown in (("top1", ["lfc@8", "hfc@8"]), ("map", ["lfc@8"])):
            board = store.leaderboard(metric=metric, rank_intervals=True)
            assert [name for name, item in board.conditions.items() if item.cut] == shown
        assert store.picture_gains().frame[["gains", "drops", "equal"]].to_numpy().tolist() == [
            [1, 1, 1]
        ]
    again = run(capsys, "merge", source, "--db", between)
    assert "known already: 1 trainings, 2 evaluations" in again
    assert everything(between) == everything(source)


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_an_export_makes_the_same_database(
    tmp_path: Path,
    street: Fill,
    build: ModuleType,
    file_format: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source, target = tmp_path / "source.db", tmp_path / "target.db"
    records = street(source)
    run(capsys, "export", tmp_path / "out", "--format", file_format, "--db", source)
    run(capsys, "import", tmp_path / "out", "--db", target)
    for table in ("detections", "picture_sets", "pictures", "class_scores", "picture_scores"):
        asked = f"SELECT * FROM {table} ORDER BY 1, 2, 3"
        assert ask(target, asked) == ask(source, asked)
    assert contents(target, records, build) == contents(source, records, build)
    assert run(capsys, "check", "--db", target).endswith("no problems\n")


@pytest.mark.parametrize(
    ("changes", "summary"),
    [
        ({"seed": 5}, "detections in 3 pictures differ"),
        ({"gain": 0.5}, "1 scores of a single picture differ"),
        ({"widths": np.full(4, 9)}, "the two are over other pictures"),
    ],
)
def test_second_results_that_differ_are_kept_whole(
    tmp_path: Path, street: Fill, changes: dict[str, Any], summary: str
) -> None:
    mine, theirs, third = (tmp_path / f"{name}.db" for name in ("mine", "theirs", "third"))
    street(mine, first=False)
    street(theirs, **changes)
    before = everything(mine)
    report = join(mine, theirs)
    assert summary in report.disagreements[-1]
    assert everything(mine) == before
    content = json.loads(ask(mine, "SELECT content FROM disagreements")[-1][0])
    assert [picture[0] for picture in content["pictures"]][1] == "leer.jpg"
    assert content["picture_scores"]["map 1"] == [changes.get("gain", 0.25), "nan", 0.75, 1.0]
    assert content["picture_scores"]["map-large 1"] == ["nan"] * 4
    assert [score["class_name"] for score in content["class_scores"]] == ["car", "person"]
    assert set(content["detections"][0]) >= {"boxes", "scores", "classes", "counts"}
    # The same text in every database, and what comes home is no disagreement.
    join(third, mine)
    join(third, theirs)
    join(theirs, mine)
    digests = [
        {row[0] for row in ask(path, "SELECT digest FROM disagreements")}
        for path in (mine, third, theirs)
    ]
    assert digests[0] == digests[1]
    assert digests[0].isdisjoint(digests[2])
    assert len(digests[0]) == len(digests[2])


def test_what_is_kept_of_classifiers_is_as_it_was_before_there_were_detectors(
    tmp_path: Path, filled: Callable[..., None]
) -> None:
    """Databases that were merged before hold texts without tasks; equal results stay equal."""
    mine, theirs = tmp_path / "mine.db", tmp_path / "theirs.db"
    filled(mine, seeds=(0,))
    filled(theirs, seeds=(0,), sha256="cd")
    join(mine, theirs)
    rows = ask(mine, "SELECT kind, content FROM disagreements ORDER BY kind DESC")
    training, evaluation = (json.loads(dict(rows)[kind]) for kind in ("training", "evaluation"))
    assert "task" not in training["dataset"][0]
    known = {"checks", "evaluation", "labels", "predictions", "run", "scores"}
    assert set(evaluation) <= known


def test_how_many_pictures_differ_is_counted(build: ModuleType) -> None:
    """The number in the summary above, by hand: counts of 3, 2, 1, 0 against other boxes."""
    first, other = build.detections(seed=1), build.detections(seed=6)
    differ = [
        mine != theirs or mine > 0
        for mine, theirs in zip(first.counts.tolist(), other.counts.tolist(), strict=True)
    ]
    assert sum(differ) == 3


def test_scores_that_the_target_lacks_are_added(tmp_path: Path, street: Fill) -> None:
    mine, theirs = tmp_path / "mine.db", tmp_path / "theirs.db"
    street(mine, first=False)
    street(theirs)
    ask(mine, "DELETE FROM class_scores WHERE class_name = 'car'")
    ask(mine, "DELETE FROM picture_scores WHERE metric_id = 2")
    assert not join(mine, theirs).disagreements
    assert everything(mine) == everything(theirs)


DAMAGE = {
    "UPDATE picture_sets SET boxes = x'00'": "damaged",
    "UPDATE picture_sets SET areas_dtype = '<i4'": "areas are damaged",
    "UPDATE picture_sets SET sha256 = 'x' || sha256": "content is not what was stored",
    "UPDATE picture_sets SET encoding = 'pickle'": "'pickle'",
    "UPDATE picture_sets SET object_count = 3": "damaged",
    "UPDATE pictures SET name = 'z' WHERE position = 3": "content is not what was stored",
    "UPDATE pictures SET object_count = 9 WHERE position = 3": "places or objects",
    "UPDATE pictures SET position = 7 WHERE position = 3": "places or objects",
    "DELETE FROM pictures WHERE position = 3": "3 of 4 pictures",
    "UPDATE detections SET scores = boxes": "damaged",
    "UPDATE detections SET detection_count = 1000": "damaged",
    "UPDATE detections SET n = 3": "damaged",
    "UPDATE evaluations SET n = 3": "it is over 3 pictures",
    "UPDATE datasets SET task = 'classification'": "dataset is one of classification",
    'UPDATE datasets SET classes = \'["car","person"]\'': "not among the 2",
    "UPDATE class_scores SET class_name = 'cat' WHERE class_name = 'car'": "no class 'cat'",
    "UPDATE class_scores SET value = 0.5 WHERE class_name = 'car'": "mean over its classes is",
    "DELETE FROM class_scores WHERE class_name = 'car'": "mean over its classes is",
    "DELETE FROM picture_scores WHERE position = 2": "there are 3 of them, for 4 pictures",
    "UPDATE picture_scores SET position = 9 WHERE position = 2": "there are 4 of them, for 4",
    "DELETE FROM detections": "its predictions are missing",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_check_finds(
    damage: str, tmp_path: Path, street: Fill, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.db"
    street(path)
    assert main.call(["db", "check", "--db", str(path)]) == 0
    capsys.readouterr()
    ask(path, damage)
    assert main.call(["db", "check", "--db", str(path)]) == 1
    out = capsys.readouterr()
    assert DAMAGE[damage] in out.out
    assert "error:" not in out.err


def test_a_class_that_the_dataset_does_not_have(
    tmp_path: Path, street: Fill, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.db"
    (record, _) = street(path)
    count = len(record.predictions.classes)
    ask(
        path,
        "UPDATE detections SET classes_dtype = '|u1', classes = ? WHERE evaluation_id = 1",
        zlib.compress(bytes([3] * count)),
    )
    assert main.call(["db", "check", "--db", str(path)]) == 1
    assert "class 3 is not among the 3 of its dataset" in capsys.readouterr().out
