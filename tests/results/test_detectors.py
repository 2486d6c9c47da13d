"""Leaderboards, gains of pictures, comparisons and reports of detectors, beside classifiers."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from hfcbench.cli import main
from hfcbench.errors import StoreError, UsageError
from hfcbench.results.statistics import overlapping_ranks
from hfcbench.results.store import Store

NAN = math.nan
Detectors = Callable[..., Any]


@pytest.fixture
def add_detector(store: Store, run_id: int, build: ModuleType) -> Detectors:
    """Add a detector with its evaluations: component -> mAP."""
    store.add_dataset(build.detection_dataset())

    def add(scores: dict[str, float], **changes: Any) -> Any:
        training = build.detector(**changes)
        store.add_training(training, run_id)
        records = [
            build.detected(training, component, value=value, seed=number)
            for number, (component, value) in enumerate(scores.items())
        ]
        store.add_evaluations(records, run_id)
        return training

    return add


@pytest.fixture
def both(store: Store, run_id: int, build: ModuleType, add_detector: Detectors) -> None:
    """Two detectors and a classifier, cut at other radii."""
    add_detector({"original": 0.5, "lfc@128": 0.375, "hfc@128": 0.25})
    add_detector({"original": 0.75, "lfc@128": 0.125, "hfc@128": 0.0}, model="fcos")
    classifier = build.training()
    store.add_training(classifier, run_id)
    values = {"original": 0.9, "lfc@4": 0.3, "lfc@8": 0.6, "lfc@12": 0.8}
    records = [build.evaluation(classifier, name, value=value) for name, value in values.items()]
    store.add_evaluations(records, run_id)


def test_a_database_of_detectors_ranks_by_mean_average_precision(
    store: Store, add_detector: Detectors
) -> None:
    add_detector({"original": 0.5, "lfc@128": 0.375, "hfc@128": 0.25})
    add_detector({"original": 0.75, "lfc@128": 0.125}, model="fcos")
    assert store.headline_metrics() == ("map",)
    board = store.leaderboard()
    assert board.metric == "map"
    assert board.left_out == ()
    frame = board.frame[["rank", "model", "original", "original_low", "lfc@128", "hfc@128", "n"]]
    assert frame.iloc[0].tolist()[:-2] == [1, "fcos", 0.75, 0.6875, 0.125]
    assert frame.iloc[1].tolist() == [2, "retinanet", 0.5, 0.4375, 0.375, 0.25, 4]
    low = store.components_against_original(parts=["lfc"])
    assert dict(zip(low["model"], low["gap"], strict=True)) == {"fcos": 0.625, "retinanet": 0.125}
    by_lfc = store.leaderboard(sort="lfc@128").frame
    assert by_lfc["model"].tolist() == ["retinanet", "fcos"]


def test_a_database_for_two_tasks_has_two_leaderboards(store: Store, both: None) -> None:
    assert store.headline_metrics() == ("top1", "map")
    assert store.headline_metrics(dataset="street") == ("map",)
    assert store.headline_metrics(model="resnet18") == ("top1",)
    assert store.headline_metrics(model="nothing") == ("top1",)
    board = store.leaderboard(columns="main")
    assert board.metric == "top1"
    # The middle one of the classifier's radii, whatever those of detectors.
    assert list(board.conditions) == ["original", "lfc@8"]
    assert [str(item) for item in board.left_out] == [
        "2 trainings for another task, which metric 'map' ranks"
    ]
    detectors = store.leaderboard(metric="map", columns="main")
    assert list(detectors.conditions) == ["original", "lfc@128", "hfc@128"]
    assert detectors.frame["model"].tolist() == ["fcos", "retinanet"]
    assert store.leaderboard(dataset="street").frame["original"].tolist() == [0.75, 0.5]
    with pytest.raises(UsageError, match="no scores of metric 'ap50'"):
        store.leaderboard(metric="ap50")


def test_ranges_of_ranks_are_of_overlapping_intervals(
    store: Store, add_detector: Detectors
) -> None:
    # Intervals reach 0.0625 to either side.
    for model, value in (("a", 0.75), ("b", 0.7), ("c", 0.6), ("d", 0.25)):
        add_detector({"original": value}, model=model)
    board = store.leaderboard(rank_intervals=True)
    frame = board.frame[["rank", "rank_low", "rank_high"]]
    # a and b overlap, so do b and c; d is apart.
    assert frame.to_numpy().tolist() == [[1, 1, 2], [2, 1, 3], [3, 2, 3], [4, 4, 4]]
    assert board.left_out == ()


def test_without_intervals_there_are_no_ranges_of_ranks(
    store: Store, run_id: int, build: ModuleType, add_detector: Detectors
) -> None:
    add_detector({"original": 0.5})
    other = build.detector(model="fcos")
    store.add_training(other, run_id)
    score = build.detection_score(0.75, [0.5] * 4)
    unknown = replace(score, score=replace(score.score, low=NAN, high=NAN))
    store.add_evaluations([build.detected(other, scores=[unknown])], run_id)
    board = store.leaderboard(rank_intervals=True)
    assert board.frame["rank_low"].isna().all()
    assert [str(item) for item in board.left_out] == [
        "2 rows without a rank interval: a score has no interval"
    ]


def test_overlapping_ranks_by_hand() -> None:
    low, high = np.array([0.1, 0.3, 0.2]), np.array([0.2, 0.4, 0.3])
    ends = overlapping_ranks(low, high)
    # Touching intervals overlap: only the first and the second do not.
    assert [one.tolist() for one in ends] == [[2, 1, 1], [3, 2, 3]]
    ends = overlapping_ranks(low, high, higher_is_better=False)
    assert [one.tolist() for one in ends] == [[1, 2, 1], [2, 3, 3]]


@pytest.fixture
def gains(store: Store, run_id: int, build: ModuleType) -> Store:
    store.add_dataset(build.detection_dataset())
    training = build.detector()
    store.add_training(training, run_id)
    small = [
        build.detection_score(0.5, values, metric="map-small")
        for values in ([0.5, NAN, NAN, 0.25], [0.75, NAN, NAN, 0.0])
    ]
    total = replace(small[0], metric="ap75", pictures=None)
    records = [
        build.detected(training, pictures=(0.5, NAN, 0.25, 1.0)),
        build.detected(training, "lfc@8", pictures=(0.75, NAN, 0.25 + 1e-12, 0.25), seed=1),
        build.detected(training, "hfc@8", pictures=(0.0, NAN, 0.125, 0.0), seed=2),
        build.detected(training, "lfc@8", defence="jpeg"),
    ]
    records[0] = replace(records[0], scores=(*records[0].scores, small[0], total))
    records[1] = replace(records[1], scores=(*records[1].scores, small[1]))
    store.add_evaluations(records, run_id)
    return store


def test_what_pictures_gain(gains: Store) -> None:
    found = gains.picture_gains()
    assert found.metric == "map"
    counted = ["component", "n", "pictures", "gains", "drops", "equal", "original", "value"]
    hfc, lfc = found.frame[[*counted, "difference"]].to_numpy().tolist()
    third = (0.5 + 0.25 + 1.0) / 3
    assert hfc[:6] == ["hfc@8", 4, 3, 0, 3, 0]
    assert hfc[6:] == pytest.approx([third, 0.125 / 3, 0.125 / 3 - third])
    assert lfc[:6] == ["lfc@8", 4, 3, 1, 1, 1]
    assert lfc[6:] == pytest.approx([third, 1.25 / 3, -0.5 / 3])
    assert set(found.frame["model"]) == {"retinanet"}
    shown = ["component", "change", "rank", "picture", "original", "value", "difference", "height"]
    assert found.pictures[shown].to_numpy().tolist() == [
        ["hfc@8", "drop", 1, "d.jpg", 1.0, 0.0, -1.0, 48],
        ["hfc@8", "drop", 2, "a.jpg", 0.5, 0.0, -0.5, 48],
        ["hfc@8", "drop", 3, "hünd.jpg", 0.25, 0.125, -0.125, 40],
        ["lfc@8", "gain", 1, "a.jpg", 0.5, 0.75, 0.25, 48],
        ["lfc@8", "drop", 1, "d.jpg", 1.0, 0.25, -0.75, 48],
    ]


def test_gains_of_another_metric_and_of_few(gains: Store) -> None:
    small = gains.picture_gains(metric="map-small")
    (row,) = small.frame[["component", "pictures", "gains", "drops", "equal"]].to_numpy().tolist()
    assert row == ["lfc@8", 2, 1, 1, 0]
    one = gains.picture_gains(parts=["hfc"], largest=1).pictures
    assert one[["component", "picture"]].to_numpy().tolist() == [["hfc@8", "d.jpg"]]
    assert gains.picture_gains(cutoff=4).frame.empty
    assert gains.picture_gains(dataset="nothing").pictures.empty
    assert list(gains.picture_gains(cutoff=4).frame) == list(gains.picture_gains().frame)
    with pytest.raises(UsageError, match=r"'ap75' is not kept for single pictures; .*map"):
        gains.picture_gains(metric="ap75")
    with pytest.raises(UsageError, match="no scores of metric 'maps'"):
        gains.picture_gains(metric="maps")


def test_gains_agree_with_the_view(gains: Store) -> None:
    columns, rows = gains.query("SELECT * FROM picture_gains WHERE metric = 'map'")
    view = pd.DataFrame(rows, columns=columns)
    found = gains.picture_gains(largest=None)
    means = view.groupby("component")["difference"].agg(["mean", "count"])
    frame = found.frame.set_index("component")
    pd.testing.assert_series_equal(frame["difference"], means["mean"], check_names=False)
    assert frame["pictures"].tolist() == means["count"].tolist()
    merged = found.pictures.merge(view, on=["component", "picture", "evaluation"])
    assert len(merged) == len(found.pictures)
    assert merged["difference_x"].tolist() == merged["difference_y"].tolist()


def test_gains_of_many_pictures_are_fast(store: Store, run_id: int, build: ModuleType) -> None:
    """5,000 pictures under 20 conditions: a second, of which most is reading 100,000 rows."""
    store.add_dataset(build.detection_dataset())
    training = build.detector()
    store.add_training(training, run_id)
    n = 5_000
    names = tuple(f"{number:012}.jpg" for number in range(n))
    few = build.picture_set()
    pictures = replace(
        few,
        names=names,
        heights=np.full(n, 480),
        widths=np.full(n, 640),
        counts=np.array([2, 0, 1, 1] * (n // 4)),
        **{
            name: np.concatenate([getattr(few, name)] * (n // 4))
            for name in ("boxes", "classes", "areas", "crowds")
        },
    )
    values = np.random.default_rng(0).random((20, n))
    components = ["original", *(f"lfc@{radius}" for radius in range(1, 20))]
    store.add_evaluations(
        [
            build.detected(training, component, pictures=values[number], among=pictures)
            for number, component in enumerate(components)
        ],
        run_id,
    )
    start = time.perf_counter()
    found = store.picture_gains()
    seconds = time.perf_counter() - start
    assert len(found.frame) == 19
    assert len(found.pictures) == 19 * 20
    last = found.frame.set_index("component").loc["lfc@19"]
    assert last["difference"] == pytest.approx((values[19] - values[0]).mean())
    assert last["gains"] == (values[19] > values[0]).sum()
    # Generous, for a busy machine.
    assert seconds < 5


def test_detectors_are_compared_picture_by_picture(
    store: Store,
    run_id: int,
    build: ModuleType,
    add_detector: Detectors,
    path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One that finds every object at its place against one that finds nothing."""
    first, second = add_detector({}), add_detector({}, model="fcos")
    found = build.picture_set()
    perfect = replace(
        build.detections(found),
        counts=found.counts,
        boxes=found.boxes,
        classes=found.classes,
        scores=np.full(4, 0.5, np.float32),
    )
    nothing = replace(
        perfect,
        counts=np.zeros(4, np.int64),
        **{name: getattr(perfect, name)[:0] for name in ("boxes", "classes", "scores")},
    )
    records = [
        replace(build.detected(of, component), predictions=one)
        for of, one in ((first, perfect), (second, nothing))
        for component in ("original", "lfc@8")
    ]
    store.add_evaluations(records, run_id)
    frame = store.compare([first.identity, second.identity])
    assert frame["condition"].tolist() == ["original", "lfc@8 [fft-radial, none]"]
    numbers = ["n", "map_first", "map_second", "difference", "low", "high"]
    assert frame[numbers].to_numpy().tolist() == [[4, 1.0, 0.0, 1.0, 1.0, 1.0]] * 2
    out, _ = call(capsys, "compare", first.identity[:8], second.identity[:8], "--db", path)
    assert out.split("\n")[0].split() == list(frame.columns)
    (one,) = store.compare([records[0].identity, records[1].identity])["difference"]
    assert one == 0.0
    classifier = build.training()
    store.add_training(classifier, run_id)
    seen = build.evaluation(classifier)
    store.add_evaluations([seen], run_id)
    with pytest.raises(UsageError, match="cannot be compared with predictions of classes"):
        store.compare([records[0].identity, seen.identity])
    with pytest.raises(UsageError, match="never evaluated under the same condition"):
        store.compare([first.identity, classifier.identity])
    with pytest.raises(StoreError, match="holds detections"):
        store.disagreements(records[0].identity, records[1].identity)


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[str, str]:
    assert main.call([*map(str, arguments)]) == 0
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_the_command_prints_a_table_for_each_task(
    both: None, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = call(capsys, "leaderboard", "--db", path)
    first, second = out.split("\n\n")
    assert first.startswith("metric top1\n")
    assert "original - lfc@8" in first
    assert "resnet18" in first
    assert "fcos" not in first
    assert second.startswith("metric map\n")
    assert "original - lfc@128" in second
    assert "0.750 [0.688, 0.812]" in second
    assert "scores: map" in err
    assert "left out" not in err
    out, err = call(capsys, "leaderboard", "--db", path, "--dataset", "street")
    assert "metric" not in out
    assert "fcos" in out
    out, err = call(capsys, "leaderboard", "--db", path, "--radius", 4)
    assert "lfc@4" in out
    assert "fcos" not in out
    assert "left out: there are no rows for radius 4; there are: 128" in err
    assert main.call(["leaderboard", "--db", str(path), "--radius", "5"]) != 0
    assert "no rows for radius 5" in capsys.readouterr().err


@pytest.mark.parametrize("wide", [[], ["--wide"]])
def test_other_formats_hold_both_tasks(
    both: None, path: Path, capsys: pytest.CaptureFixture[str], wide: list[str]
) -> None:
    rows = json.loads(call(capsys, "leaderboard", "--db", path, "--format", "json")[0])
    shown = [(row["metric"], row["model"], row["original"], row["lfc@8"]) for row in rows]
    assert shown == [
        ("top1", "resnet18", 0.9, 0.6),
        ("map", "fcos", 0.75, None),
        ("map", "retinanet", 0.5, None),
    ]
    rows = json.loads(
        call(capsys, "leaderboard", "--db", path, "--format", "json", "--dataset", "pets")[0]
    )
    assert "metric" not in rows[0]
    assert "fcos" in call(capsys, "leaderboard", "--db", path, *wide)[0]


def test_what_is_known_of_a_detector_is_shown(
    store: Store,
    add_detector: Detectors,
    path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    training = add_detector({"original": 0.5, "lfc@8": 0.375})
    out, _ = call(capsys, "show", training.identity[:12], "--db", path)
    assert "original: map 0.5, n = 4" in out
    (identity,) = store.evaluations(component="lfc@8")["evaluation"]
    out, _ = call(capsys, "show", identity[:12], "--db", path)
    assert "map (version 1) = 0.375 [0.3125, 0.4375], n = 4" in out
    lines = out.split("map by class, 95% intervals; n counts objects\n")[1].splitlines()
    assert lines[:2] == [
        "  car = 0.6250 [0.5000, 0.7500], n = 2",
        "  person = 0.1250 [nan, nan], n = 1",
    ]
    document = json.loads(call(capsys, "show", identity[:12], "--db", path, "--format", "json")[0])
    assert [row["class"] for row in document["class_scores"]] == ["car", "person"]
    assert document["class_scores"][1]["low"] == "NaN"


def test_classes_and_trainings_have_a_row_each(
    store: Store, run_id: int, build: ModuleType
) -> None:
    store.add_dataset(build.detection_dataset())
    detector, classifier = build.detector(), build.training(seed=3)
    for training in (detector, classifier):
        store.add_training(training, run_id)
    store.add_evaluations([build.detected(detector, value=0.5)], run_id)
    rows = store.class_scores(trainings=detector.identity).to_dict("records")
    assert [(row["class_name"], row["value"], row["n"]) for row in rows] == [
        ("car", 0.75, 2),
        ("person", 0.25, 1),
    ]
    assert (rows[0]["low"], rows[0]["high"], rows[0]["component"]) == (0.625, 0.875, "original")
    assert store.class_scores(component="lfc@8").empty
    trainings = store.training_frame()
    assert trainings["training"].tolist() == [detector.identity, classifier.identity]
    assert store.training_frame(seed=3)["dataset"].tolist() == ["pets"]
