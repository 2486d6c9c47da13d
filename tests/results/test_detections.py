"""Detections with their pictures and scores: bit-exact, stored once, safe to read."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hfcbench.detection_types import Detections, PictureSet
from hfcbench.errors import StoreError
from hfcbench.results.statistics import different_pictures
from hfcbench.results.store import Store
from hfcbench.results.writing.detections import (
    DETECTION_ARRAYS,
    OBJECT_ARRAYS,
    pack_detections,
    pack_pictures,
    unpack_detections,
    unpack_objects,
)
from hfcbench.results.writing.predictions import PackedArray
from hfcbench.types import Score

Count = Callable[[str], int]
CLASSES = 300


def any_floats(*shape: int) -> Any:
    # Every bit pattern, NaNs with payloads, denormals and negative zero among them.
    return arrays.arrays(np.uint32, shape, elements=st.integers(0, 2**32 - 1))


@st.composite
def any_detections(draw: st.DrawFn) -> Detections:
    n = draw(st.integers(0, 5))
    counts = [draw(arrays.arrays(np.int64, n, elements=st.integers(0, 3))) for _ in range(2)]
    objects, found = (int(one.sum()) for one in counts)
    classes = [
        draw(arrays.arrays(np.int64, one, elements=st.integers(0, CLASSES - 1)))
        for one in (objects, found)
    ]
    sizes = arrays.arrays(np.int64, n, elements=st.integers(1, 10_000))
    pictures = PictureSet(
        tuple(f"{number}.jpg" for number in range(n)),
        *(draw(sizes), draw(sizes), counts[0]),
        draw(any_floats(objects, 4)).view("f4"),
        classes[0],
        draw(any_floats(objects)).view("f4"),
        draw(arrays.arrays(np.bool_, objects)),
        tuple(map(str, range(CLASSES))),
    )
    boxes, scores = draw(any_floats(found, 4)).view("f4"), draw(any_floats(found)).view("f4")
    return Detections(pictures, counts[1], boxes, scores, classes[1])


@given(any_detections())
def test_every_bit_comes_back(detections: Detections) -> None:
    n = len(detections)
    packed = pack_pictures(detections.pictures)
    found = pack_detections(detections, packed)
    for expected, unpacked in (
        (detections.pictures, unpack_objects(packed.arrays, n, packed.object_count)),
        (detections, unpack_detections(found.arrays, n, found.detection_count)),
    ):
        for name, array in unpacked.items():
            original = getattr(expected, name)
            assert array.dtype == original.dtype
            assert array.shape == original.shape
            assert array.tobytes() == original.tobytes()


def test_by_hand(build: ModuleType) -> None:
    packed = pack_pictures(build.picture_set())
    assert packed.object_count == 4
    assert packed.rows[2] == ("hünd.jpg", 40, 300, 1)
    assert packed.arrays["counts"] == PackedArray("|u1", zlib.compress(b"\2\0\1\1", 6))
    assert packed.arrays["crowds"] == PackedArray("|u1", zlib.compress(b"\0\1\0\0", 6))
    # The last area is 4.0, 00 00 80 40; its bytes are the last of each plane.
    areas = zlib.decompress(packed.arrays["areas"].data)
    assert areas[3::4] == b"\x00\x00\x80\x40"


def test_only_equal_content_has_equal_hashes(build: ModuleType) -> None:
    first = build.picture_set()
    known = pack_pictures(first).sha256
    assert pack_pictures(build.picture_set()).sha256 == known
    for name in ("names", "heights", "widths", "counts", "boxes", "classes", "areas", "crowds"):
        value = getattr(first, name)
        changed = value[::-1] if isinstance(value, tuple) else value[::-1].copy()
        assert pack_pictures(replace(first, **{name: changed})).sha256 != known, name


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("counts", np.array([1, 1, 1, 0]), "add up to 4"),
        ("counts", np.array([5, -1, 0, 0]), "add up to 4"),
        ("counts", np.array([2, 1, 1]), "'counts' is int64 of shape"),
        ("boxes", np.zeros((4, 4)), "'boxes' is float64"),
        ("boxes", np.zeros((4, 5), np.float32), "'boxes' is float32 of shape"),
        ("classes", np.array([0, 1, 2, 3]), "not among the 3"),
        ("classes", np.array([0, 1, -1, 2]), "not among the 3"),
        ("areas", np.zeros(4, np.int64), "'areas' is int64"),
        ("crowds", np.zeros(4, np.uint8), "'crowds' is uint8"),
        ("widths", np.zeros(3, np.int64), "'widths' is int64 of shape"),
        ("names", ("a", "b", "a", "c"), "the same name"),
        ("names", ("a", "b", "\udcff", "c"), "no valid text"),
    ],
)
def test_wrong_pictures_are_refused(build: ModuleType, name: str, array: Any, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        pack_pictures(build.picture_set(**{name: array}))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("scores", lambda scores: scores.astype(np.float64)),
        ("scores", lambda scores: scores[1:]),
        ("boxes", lambda boxes: boxes[:, :2]),
        ("classes", lambda classes: classes + 3),
        ("counts", lambda counts: counts + 1),
    ],
)
def test_wrong_detections_are_refused(build: ModuleType, name: str, change: Any) -> None:
    found = build.detections()
    packed = pack_pictures(found.pictures)
    with pytest.raises(StoreError, match="detections cannot be stored"):
        pack_detections(replace(found, **{name: change(getattr(found, name))}), packed)


DAMAGED = {
    "type": PackedArray("|O", zlib.compress(bytes(16))),
    "other type": PackedArray("<i4", zlib.compress(bytes(16))),
    "garbage": PackedArray("<f4", b"not zlib"),
    "short": PackedArray("<f4", zlib.compress(bytes(15))),
    "bomb": PackedArray("<f4", zlib.compress(bytes(50_000_000))),
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("name", ["boxes", "areas"])
def test_hostile_bytes_are_refused(build: ModuleType, name: str, damaged: PackedArray) -> None:
    packed = pack_pictures(build.picture_set())
    with pytest.raises(StoreError, match="damaged"):
        unpack_objects({**packed.arrays, name: damaged}, 4, 4)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("counts", b"\2\0\1\2", "add up"),
        ("counts", b"\5\0\0\0", "add up"),
        ("crowds", b"\0\1\0\2", "neither 0 nor 1"),
    ],
)
def test_numbers_that_cannot_be_are_refused(
    build: ModuleType, name: str, content: bytes, message: str
) -> None:
    packed = pack_pictures(build.picture_set())
    damaged = PackedArray("|u1", zlib.compress(content))
    with pytest.raises(StoreError, match=message):
        unpack_objects({**packed.arrays, name: damaged}, 4, 4)


def test_counts_cannot_wrap_around(build: ModuleType) -> None:
    packed = pack_pictures(build.picture_set())
    huge = np.full(4, 2**62, np.int64).view(np.uint8).reshape(4, 8).T
    damaged = PackedArray("<i8", zlib.compress(huge.tobytes()))
    nothing = {
        name: PackedArray(packed.arrays[name].dtype, zlib.compress(b"")) for name in OBJECT_ARRAYS
    }
    with pytest.raises(StoreError, match="add up to 0"):
        unpack_objects({**nothing, "counts": damaged}, 4, 0)


@pytest.fixture
def detector(store: Store, run_id: int, build: ModuleType) -> Any:
    store.add_dataset(build.detection_dataset())
    training = build.detector()
    store.add_training(training, run_id)
    return training


def test_detections_come_back(
    store: Store, run_id: int, build: ModuleType, detector: Any, count: Count
) -> None:
    records = [
        build.detected(detector),
        build.detected(detector, "lfc@8", seed=1),
        build.detected(detector, "hfc@8", seed=2, among=build.picture_set(widths=np.full(4, 9))),
    ]
    store.add_evaluations(records, run_id)
    for record in records:
        assert build.content_of(store.detections(record.identity)) == build.content_of(
            record.predictions
        )
    # Two of them are of the same pictures.
    assert (count("detections"), count("picture_sets"), count("pictures")) == (3, 2, 8)
    assert count("predictions") == count("label_sets") == 0
    assert store.query("SELECT DISTINCT n FROM evaluations")[1] == [(4,)]
    assert store.query(
        "SELECT position, name, height, width, object_count FROM pictures ORDER BY picture_set_id "
        "LIMIT 3"
    )[1] == [(0, "a.jpg", 48, 64, 2), (1, "leer.jpg", 30, 40, 0), (2, "hünd.jpg", 40, 300, 1)]
    (known,) = [record for record in store.datasets() if record.name == "street"]
    assert known == build.detection_dataset()


def test_nothing_found_in_no_pictures(
    store: Store, run_id: int, build: ModuleType, detector: Any
) -> None:
    none = build.picture_set()
    none = replace(
        none,
        names=(),
        **{name: getattr(none, name)[:0] for name in ("heights", "widths", *OBJECT_ARRAYS)},
    )
    found = build.detections()
    found = replace(
        found, pictures=none, **{name: getattr(found, name)[:0] for name in DETECTION_ARRAYS}
    )
    record = replace(build.detected(detector), predictions=found, scores=())
    store.add_evaluations([record], run_id)
    assert build.content_of(store.detections(record.identity)) == build.content_of(found)


def test_scores_of_classes_and_pictures_are_rows(
    store: Store, run_id: int, build: ModuleType, detector: Any
) -> None:
    record = build.detected(detector, value=0.5, pictures=(0.5, math.nan, 0.25, 1.0))
    store.add_evaluations([record], run_id)
    assert store.query(
        "SELECT class_name, value, state, low, high, n FROM class_scores ORDER BY class_name"
    )[1] == [
        ("car", 0.75, "finite", 0.625, 0.875, 2),
        ("person", 0.25, "finite", None, None, 1),
    ]
    asked = "SELECT position, value, state FROM picture_scores ORDER BY metric_id, position"
    stored = [(0, 0.5, "finite"), (1, None, "nan"), (2, 0.25, "finite"), (3, 1.0, "finite")]
    assert store.query(asked)[1] == stored
    # A metric that is asked for later, and one that is there.
    later = build.detection_score(0.125, [0.0, math.nan, 1.0, 0.5], metric="ap50")
    again = build.detection_score(0.75, [1.0, 1.0, 1.0, 1.0])
    store.add_scores(record.identity, [later, again])
    more = [(0, 0.0, "finite"), (1, None, "nan"), (2, 1.0, "finite"), (3, 0.5, "finite")]
    assert store.query(asked)[1] == [*stored, *more]
    assert store.query("SELECT count(*) FROM class_scores")[1] == [(4,)]
    assert store.evaluations(metric="map")["value"].tolist() == [0.5]
    for metric in ("map", "ap50"):
        assert store.unscored([record.identity], metric, "1") == set()


def test_the_wrong_question_says_so(
    store: Store, run_id: int, build: ModuleType, detector: Any
) -> None:
    classifier = build.training()
    store.add_training(classifier, run_id)
    seen, found = build.evaluation(classifier), build.detected(detector)
    store.add_evaluations([seen, found], run_id)
    with pytest.raises(StoreError, match=f"{seen.identity[:12]} holds predictions of classes"):
        store.detections(seen.identity)
    for ask in (store.predictions, store.prediction_frame, store.intervals):
        with pytest.raises(StoreError, match=f"{found.identity[:12]} holds detections"):
            ask(found.identity)
    for ask in (store.predictions, store.detections):
        with pytest.raises(StoreError, match="is not in the database"):
            ask("0" * 64)
    assert store.answers([found.identity]) == {}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("UPDATE datasets SET classes = '[]' WHERE name = 'street'", "class 2 is not among the 0"),
        ("UPDATE detections SET n = 3", "its detections are in 3 pictures, of 4"),
        ("UPDATE detections SET encoding = 'pickle'", "encoded as 'pickle'"),
        ("DELETE FROM pictures WHERE position = 1", "it has 3 of 4 pictures"),
        ("UPDATE picture_sets SET n = -1", "damaged"),
    ],
)
def test_damaged_rows_are_not_read(
    store: Store, run_id: int, build: ModuleType, detector: Any, damage: str, message: str
) -> None:
    record = build.detected(detector)
    store.add_evaluations([record], run_id)
    with store._engine.begin() as connection:
        connection.exec_driver_sql(damage)
    with pytest.raises(StoreError, match=message):
        store.detections(record.identity)


def test_detections_must_be_of_their_dataset(
    store: Store, run_id: int, build: ModuleType, detector: Any, count: Count
) -> None:
    classifier = build.training()
    store.add_training(classifier, run_id)
    with pytest.raises(StoreError, match="for a dataset of classification"):
        store.add_evaluations([build.detected(classifier)], run_id)
    others = build.picture_set(class_names=("person", "car", "Hünd"))
    with pytest.raises(StoreError, match="other classes"):
        store.add_evaluations([build.detected(detector, among=others)], run_id)
    few = [build.detection_score(0.5, [0.5, 0.5])]
    with pytest.raises(StoreError, match=r"'map' has \(2,\) of them for 4 pictures"):
        store.add_evaluations([build.detected(detector, scores=few)], run_id)
    seen = build.evaluation(classifier)
    store.add_evaluations([seen], run_id)
    with pytest.raises(StoreError, match="for 0 pictures"):
        store.add_scores(seen.identity, [build.detection_score(0.5, [0.5])])
    for table in ("detections", "picture_sets", "pictures", "class_scores", "picture_scores"):
        assert count(table) == 0


def test_in_how_many_pictures_something_else_was_found() -> None:
    first = {"counts": np.array([2, 0, 1, 1, 1]), "scores": np.array([1, 2, 3, np.nan, 5])}
    other = {"counts": np.array([2, 1, 1, 1, 0]), "scores": np.array([1, 0, 9, 3, np.nan])}
    # The first picture differs in a score, the second and last one in their number.
    assert different_pictures(first, other, ["scores"]) == 3
    assert different_pictures(first, first, ["scores"]) == 0
    boxes = {**first, "scores": np.zeros((5, 4))}
    moved = {**boxes, "scores": np.eye(5, 4)}
    # The last row of a 5 x 4 identity is empty, and the second picture has none.
    assert different_pictures(boxes, moved, ["scores"]) == 3


def test_the_view_of_pictures(store: Store, run_id: int, build: ModuleType, detector: Any) -> None:
    """What each picture gains on a component, against the original of the same model."""
    nan = math.nan
    records = [
        build.detected(detector, pictures=(0.5, nan, 0.25, 1.0)),
        build.detected(detector, "lfc@8", pictures=(0.25, nan, 0.75, 1.0), seed=1),
        build.detected(detector, "hfc@8", pictures=(0.0, nan, 0.125, nan), seed=2),
        # Nothing to be held against: no original with this defence, and other pictures.
        build.detected(detector, "lfc@8", defence="jpeg"),
        build.detected(detector, "lfc@4", among=build.picture_set(heights=np.full(4, 9))),
    ]
    store.add_evaluations(records, run_id)
    asked = (
        "SELECT component, picture, original, value, difference, metric, model, dataset, "
        "object_count FROM picture_gains ORDER BY difference DESC, picture"
    )
    rest = ("map", "retinanet", "street")
    assert store.query(asked)[1] == [
        ("lfc@8", "hünd.jpg", 0.25, 0.75, 0.5, *rest, 1),
        ("lfc@8", "d.jpg", 1.0, 1.0, 0.0, *rest, 1),
        ("hfc@8", "hünd.jpg", 0.25, 0.125, -0.125, *rest, 1),
        ("lfc@8", "a.jpg", 0.5, 0.25, -0.25, *rest, 2),
        ("hfc@8", "a.jpg", 0.5, 0.0, -0.5, *rest, 2),
    ]


def test_the_view_of_leaderboards_has_detectors_beside_classifiers(
    store: Store, run_id: int, build: ModuleType, detector: Any
) -> None:
    classifier = build.training()
    store.add_training(classifier, run_id)
    seen = [build.evaluation(classifier, value=0.75), build.evaluation(classifier, "lfc@8")]
    # A metric of the same name as the detectors' headline is no headline of classifiers.
    named = build.score(0.0, metric="map")
    seen[0] = replace(seen[0], scores=(*seen[0].scores, named))
    found = [
        build.detected(detector, value=0.5),
        build.detected(detector, "lfc@8", value=0.375),
        build.detected(detector, "hfc@8", value=0.25),
    ]
    store.add_evaluations([*seen, *found], run_id)
    asked = (
        "SELECT dataset, metric, original, original_low, lfc, hfc, gap, robust, n "
        "FROM leaderboard ORDER BY 1"
    )
    assert store.query(asked)[1] == [
        ("pets", "top1", 0.75, 0.65, 0.5, None, 0.25, None, 100),
        ("street", "map", 0.5, 0.4375, 0.375, 0.25, 0.125, None, 4),
    ]
    assert len(store.query("SELECT * FROM results WHERE dataset = 'street'")[1]) == 3


def test_a_class_without_a_number(
    store: Store, run_id: int, build: ModuleType, detector: Any
) -> None:
    score = build.detection_score(0.5, [0.5] * 4)
    score = replace(score, classes={"car": Score(math.nan, math.nan, math.nan, 0)})
    store.add_evaluations([build.detected(detector, scores=[score])], run_id)
    asked = "SELECT class_name, value, state, low, high, n FROM class_scores"
    assert store.query(asked)[1] == [("car", None, "nan", None, None, 0)]
