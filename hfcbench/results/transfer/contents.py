"""A result with everything that belongs to it, as a disagreement keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from hfcbench.results.schema import Dataset, LabelSet, Metric, Picture, PictureSet, Run
from hfcbench.results.transfer.merging_detections import detailed_scores
from hfcbench.results.transfer.plain_rows import Row, rows_of, without

_CURVE = ("split", "component", "decomposition", "rescaling", "metric", "n")


def training_content(
    connection: Connection, row: Row, parts: Mapping[str, list[Row]]
) -> dict[str, Any]:
    """A training, the same in every database: keys order nothing that is not theirs alone."""
    return {
        **parts,
        "artifacts": sorted(parts["artifacts"], key=lambda item: (item["kind"], item["path"])),
        "curves": sorted(parts["curves"], key=lambda item: repr([item[name] for name in _CURVE])),
        "training": row,
        "run": connection.scalar(select(Run.uuid).where(Run.run_id == row["run_id"])),
        "dataset": [
            # Left out where it is the only one that there was when disagreements were kept before.
            without(item, "task") if item["task"] == "classification" else item
            for item in rows_of(connection, Dataset, Dataset.dataset_id == row["dataset_id"])
        ],
    }


def analysis_content(connection: Connection, row: Row, quantities: list[Row]) -> dict[str, Any]:
    """An analysis with its quantities, the same in every database."""
    return {
        "analysis": row,
        "quantities": sorted(quantities, key=lambda quantity: quantity["name"]),
        "run": connection.scalar(select(Run.uuid).where(Run.run_id == row["run_id"])),
    }


def _name_of(row: Row) -> str:
    return str(row["name"])


def evaluation_content(
    connection: Connection, row: Row, parts: Mapping[str, list[Row]]
) -> dict[str, Any]:
    """An evaluation with its labels or pictures, the same in every database."""
    names = {
        number: f"{name} {version}"
        for number, name, version in connection.execute(
            select(Metric.metric_id, Metric.name, Metric.version)
        )
    }
    label_sets = [item["label_set_id"] for item in parts["predictions"]]
    scores = [{**score, "metric": names[score["metric_id"]]} for score in parts["scores"]]
    return {
        "evaluation": row,
        "scores": sorted(scores, key=lambda score: score["metric"]),
        "predictions": parts["predictions"],
        # Left out where there are none, as in what was kept before there were any.
        **({"checks": sorted(parts["checks"], key=_name_of)} if parts["checks"] else {}),
        **_of_detector(connection, row, parts["detections"], names),
        "labels": list(rows_of(connection, LabelSet, LabelSet.label_set_id.in_(label_sets))),
        "run": connection.scalar(select(Run.uuid).where(Run.run_id == row["run_id"])),
    }


def _of_detector(
    connection: Connection, row: Row, detections: list[Row], metrics: Mapping[int, str]
) -> dict[str, Any]:
    """Detections with pictures and the scores of classes and pictures; nothing without any."""
    if not detections:
        return {}
    key = detections[0]["picture_set_id"]
    details = detailed_scores(connection, row["evaluation_id"], detections, metrics)
    of_pictures: dict[str, list[float | str]] = {}
    for score in details["picture_scores"]:
        value = score["state"] if score["value"] is None else score["value"]
        of_pictures.setdefault(score["metric_id"], []).append(value)
    columns = (Picture.name, Picture.height, Picture.width, Picture.object_count)
    pictures = connection.execute(
        select(*columns).where(Picture.picture_set_id == key).order_by(Picture.position)
    )
    return {
        "detections": detections,
        "picture_set": list(rows_of(connection, PictureSet, PictureSet.picture_set_id == key)),
        "pictures": [list(picture) for picture in pictures],
        "class_scores": sorted(
            (_named(score) for score in details["class_scores"]),
            key=lambda score: (score["metric"], score["class_name"]),
        ),
        "picture_scores": of_pictures,
    }


def _named(score: Row) -> Row:
    return {**without(score, "metric_id"), "metric": score["metric_id"]}
