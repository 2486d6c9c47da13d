"""Records for tests, with the smallest content that is not trivial.

Test processes import this file by itself; tests get it as the fixture ``build``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from hfcbench.attack_types import Search
from hfcbench.detection_types import Detections, PictureSet
from hfcbench.quantities import Axis, Quantity
from hfcbench.references import parse_label
from hfcbench.results.records import (
    AnalysisRecord,
    ArtifactRecord,
    CurvePoint,
    DatasetRecord,
    EvaluationRecord,
    FailureRecord,
    NoteRecord,
    PluginRecord,
    RunRecord,
    ScoreRecord,
    TrainingRecord,
)
from hfcbench.sampling import chosen_images
from hfcbench.types import DatasetDescription, ImageShape, Predictions, Score

NOW = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
SIZE = 100
"""Images of the dataset's test split."""
FINGERPRINT = hashlib.sha256(b"images").hexdigest()
DETECTION_FINGERPRINT = hashlib.sha256(b"pictures").hexdigest()
OBJECTS = ("car", "person", "Hünd")


def identity_of(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def run(**changes: Any) -> RunRecord:
    record = RunRecord(
        started_at=NOW,
        command="hfcbench run --suite smoke",
        suite="smoke",
        hfcbench_version="0.1.0",
        python_version="3.11.9",
        torch_version="2.9.0",
        cuda_version=None,
        driver_version=None,
        packages={"torch": "2.9.0"},
        git_revision="0123abc",
        git_dirty=False,
        host="host",
        platform="Linux",
        device="cpu",
        plugins=(
            PluginRecord("builtin", "hfcbench", "0.1.0"),
            PluginRecord("jpeg", "hfcbench-jpeg", "0.2.0"),
        ),
    )
    return replace(record, **changes)


def dataset(**changes: Any) -> DatasetRecord:
    description = DatasetDescription(
        classes=("Katze", "Hünd"),
        shape=ImageShape(3, 32, 32),
        sizes={"train": 200, "test": SIZE},
        source="made",
    )
    record = DatasetRecord("pets", "1", {"tile": 32}, FINGERPRINT, description)
    return replace(record, **changes)


def training(**changes: Any) -> TrainingRecord:
    """A training; ``specification`` follows from ``model``, ``seed`` and the dataset."""
    model = changes.get("model", "resnet18")
    specification: Mapping[str, Any] = {
        "kind": "training",
        "dataset": {
            "name": changes.get("dataset_name", "pets"),
            "version": "1",
            "fingerprint": changes.get("dataset_fingerprint", FINGERPRINT),
        },
        "component": {"part": "original"},
        "model": {"name": model, "version": "1", "parameters": {}},
        "heuristics": [changes.get("heuristics", "vanilla")],
        "seed": changes.get("seed", 0),
    }
    identity = identity_of(specification)
    record = TrainingRecord(
        identity=identity,
        specification=specification,
        dataset_fingerprint=FINGERPRINT,
        dataset_name="pets",
        model=model,
        heuristics="vanilla",
        trained_on="original",
        rescaling=None,
        seed=0,
        epochs=2,
        parameter_count=3_000_000_000,
        device="cpu",
        started_at=NOW,
        duration_seconds=12.5,
        checkpoint=ArtifactRecord("checkpoint", f"{identity[:2]}/{identity}.safetensors", "ab", 7),
        curve=curve(),
    )
    return replace(record, **changes)


def curve(components: Sequence[str] = ("original", "lfc@8"), n: int = 100) -> list[CurvePoint]:
    return [
        CurvePoint(
            epoch=epoch,
            split="test",
            component=component,
            decomposition=None if component == "original" else "fft-radial",
            rescaling=None if component == "original" else "none",
            metric="top1",
            value=0.25 * epoch,
            n=n,
        )
        for component in components
        for epoch in (1, 2)
    ]


def predictions(n: int = 100, seed: int = 0, classes: int = 10) -> Predictions:
    generator = np.random.default_rng(seed)
    return Predictions(
        labels=np.arange(n, dtype=np.int64) % classes,
        predicted=generator.integers(0, classes, n),
        confidence=generator.random(n, dtype=np.float32),
        loss=generator.exponential(size=n).astype(np.float32),
    )


def score(value: float, *, metric: str = "top1", version: str = "1", n: int = 100) -> ScoreRecord:
    return ScoreRecord(
        metric,
        version,
        Score(value, value - 0.1, value + 0.1, n),
        higher_is_better=metric != "loss",
    )


def evaluation(
    of: TrainingRecord,
    component: str = "original",
    *,
    value: float = 0.5,
    defence: str = "none",
    attack: str = "none",
    epsilon: float | None = None,
    decomposition: str = "fft-radial",
    decomposition_version: str = "1",
    rescaling: str = "none",
    attack_version: str = "1",
    attack_parameters: Mapping[str, Any] | None = None,
    search: Search | None = None,
    procedure: str = "1",
    n: int = 100,
    **changes: Any,
) -> EvaluationRecord:
    """An evaluation; its identity follows from what is given here and the number of images.

    An attack has the parameters of its label, and those that are given besides: its defaults.
    """
    part, _, cut = component.partition("@")
    inner, _, outer = cut.rpartition("-")
    is_part = bool(cut)
    specification: Mapping[str, Any] = {
        "kind": "evaluation",
        "procedure": procedure,
        "training": of.identity,
        "defence": _reference(defence, "1"),
        "attack": _attack(attack, attack_version, attack_parameters or {}),
        "epsilon": epsilon,
        **({} if search is None else {"search": asdict(search)}),
        "component": {"part": "original"}
        if not is_part
        else {
            "part": part,
            "cutoff": [float(inner), float(outer)] if inner else float(outer),
            "decomposition": _reference(decomposition, decomposition_version),
            "rescaling": rescaling,
        },
        "split": "test",
        "samples": n,
    }
    if "search" in changes:
        specification = {**specification, "search": asdict(changes["search"])}
    record = EvaluationRecord(
        identity=identity_of(specification),
        training_identity=of.identity,
        specification=specification,
        split="test",
        defence=defence,
        attack=attack,
        epsilon=epsilon,
        component=component,
        part=part,
        cutoff=float(outer) if is_part else None,
        cutoff_inner=float(inner) if inner else None,
        decomposition=decomposition if is_part else None,
        rescaling=rescaling if is_part else None,
        device="cpu",
        started_at=NOW,
        duration_seconds=1.5,
        predictions=predictions(n),
        scores=(score(value, n=n),),
        search=search,
    )
    return replace(record, **changes)


def answered(
    of: TrainingRecord, wrong: Collection[int], *, n: int = SIZE, **condition: Any
) -> EvaluationRecord:
    """An evaluation on n of the split's 100 images that is wrong on some of them."""
    chosen = chosen_images(SIZE, n)
    labels = chosen % 7
    right = ~np.isin(chosen, list(wrong))
    flat = np.full(n, 0.5, np.float32)
    answers = Predictions(labels, np.where(right, labels, labels + 1), flat, flat)
    return replace(evaluation(of, n=n, value=right.mean(), **condition), predictions=answers)


def detection_dataset(**changes: Any) -> DatasetRecord:
    description = DatasetDescription(
        classes=OBJECTS,
        shape=ImageShape(3, 48, 64),
        sizes={"test": 4},
        source="drawn",
        task="detection",
    )
    record = DatasetRecord("street", "1", {}, DETECTION_FINGERPRINT, description)
    return replace(record, **changes)


def detector(**changes: Any) -> TrainingRecord:
    """A detector on :func:`detection_dataset`, as trained weights are: without epochs."""
    content = {"dataset_name": "street", "dataset_fingerprint": DETECTION_FINGERPRINT}
    return training(**{"model": "retinanet", "curve": (), "epochs": 0, **content, **changes})


def picture_set(**changes: Any) -> PictureSet:
    """Four pictures: with a car and a crowd of people, with nothing, with a dog, with a car."""
    record = PictureSet(
        names=("a.jpg", "leer.jpg", "hünd.jpg", "d.jpg"),
        heights=np.array([48, 30, 40, 48]),
        widths=np.array([64, 40, 300, 20]),
        counts=np.array([2, 0, 1, 1]),
        boxes=np.array(
            [[0, 1, 10.5, 20], [5, 5, 60, 40], [3, 4, 299.25, 9], [1, 2, 3, 4]], np.float32
        ),
        classes=np.array([0, 1, 2, 0]),
        areas=np.array([100.5, 1925, 1200, 4], np.float32),
        crowds=np.array([False, True, False, False]),
        class_names=OBJECTS,
    )
    return replace(record, **changes)


def detections(pictures: PictureSet | None = None, seed: int = 0) -> Detections:
    """Some boxes in each picture, best first; none in the last one."""
    pictures = picture_set() if pictures is None else pictures
    random = np.random.default_rng(seed)
    counts = random.integers(0, 4, len(pictures))
    counts[-1] = 0
    found = int(counts.sum())
    scores = [np.sort(random.random(count, dtype=np.float32))[::-1] for count in counts]
    return Detections(
        pictures,
        counts,
        random.random((found, 4), dtype=np.float32) * 60,
        np.concatenate(scores),
        random.integers(0, len(pictures.class_names), found),
    )


def content_of(found: Predictions | Detections) -> bytes:
    """Every byte of predictions, or of detections with their pictures."""
    if isinstance(found, Predictions):
        arrays = (found.labels, found.predicted, found.confidence, found.loss)
        return b"".join(array.tobytes() for array in arrays)
    pictures = found.pictures
    names = repr((pictures.names, pictures.class_names)).encode()
    sizes = (pictures.heights, pictures.widths)
    objects = (pictures.counts, pictures.boxes, pictures.classes, pictures.areas, pictures.crowds)
    arrays = (*sizes, *objects, found.counts, found.boxes, found.scores, found.classes)
    return names + b"".join(array.tobytes() for array in arrays)


def detection_score(
    value: float, pictures: Sequence[float], *, metric: str = "map", version: str = "1"
) -> ScoreRecord:
    """Its classes score 0.25 more and 0.25 less, and the dog has no score."""
    n = len(pictures)
    classes = {
        "car": Score(value + 0.25, value + 0.125, value + 0.375, 2),
        "person": Score(value - 0.25, math.nan, math.nan, 1),
    }
    total = Score(value, value - 0.0625, value + 0.0625, n)
    return ScoreRecord(metric, version, total, True, classes, np.array(pictures, np.float64))


def detected(
    of: TrainingRecord,
    component: str = "original",
    *,
    value: float = 0.5,
    pictures: Sequence[float] = (0.5, math.nan, 0.25, 1.0),
    seed: int = 0,
    among: PictureSet | None = None,
    **condition: Any,
) -> EvaluationRecord:
    """An evaluation of a detector: ``pictures`` is what it scores on each of them."""
    found = detections(among, seed)
    record = evaluation(of, component, n=len(found), **condition)
    scores = (detection_score(value, pictures),)
    return replace(record, predictions=found, scores=condition.get("scores", scores))


def quantities(seed: int = 0) -> tuple[Quantity, ...]:
    """A number with an interval, one without, one that is none, float and uint8 arrays."""
    random = np.random.default_rng(seed)
    radius = Axis("radius", "cycles/image", (0.0, 1.0, 2.0))
    row = Axis("row", "", (0.0, 1.0))
    energies = random.random((2, 3)).astype(np.float32)
    return (
        Quantity("share", "", np.array(0.25), (), np.array(0.125), np.array(0.5), 40),
        Quantity("count", "images", np.array(7.0), n=40),
        Quantity("threshold", "pixel range", np.array(np.nan)),
        Quantity("energy", "", energies, (row, radius), energies / 2, energies * 2, 40),
        Quantity("pixels", "", random.integers(0, 256, 3).astype(np.uint8), (radius,)),
    )


def analysis(of: TrainingRecord, name: str = "spectrum", **changes: Any) -> AnalysisRecord:
    specification: Mapping[str, Any] = {
        "kind": "analysis",
        "procedure": "1",
        "training": of.identity,
        "analysis": _reference(name, "1"),
        "defence": None,
        "attack": _reference("fgsm", "1"),
        "epsilon": 0.03,
        "split": "test",
        "samples": 40,
    }
    record = AnalysisRecord(
        identity=identity_of(specification),
        training_identity=of.identity,
        specification=specification,
        analysis=name,
        split="test",
        defence="none",
        attack="fgsm",
        epsilon=0.03,
        n=40,
        device="cpu",
        started_at=NOW,
        duration_seconds=2.5,
        quantities=quantities(),
    )
    return replace(record, **changes)


def failure(**changes: Any) -> FailureRecord:
    record = FailureRecord(
        identity="f" * 64,
        kind="evaluation",
        label="hfc@8 of resnet18",
        error="ValueError: no",
        traceback="Traceback ...",
        failed_at=NOW,
    )
    return replace(record, **changes)


def note(**changes: Any) -> NoteRecord:
    record = NoteRecord(
        training_identity="e" * 64,
        kind="evaluation",
        label="evaluate resnet18",
        note="out of memory at 256 images: in parts of 64 from there on",
        noted_at=NOW,
    )
    return replace(record, **changes)


def _attack(label: str, version: str, defaults: Mapping[str, Any]) -> dict[str, Any] | None:
    if label == "none":
        return None
    name, parameters = parse_label(label)
    return {"name": name, "version": version, "parameters": {**defaults, **parameters}}


def _reference(label: str, version: str) -> dict[str, Any] | None:
    return None if label == "none" else {"name": label, "version": version, "parameters": {}}
