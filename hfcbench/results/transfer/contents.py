"""A result with everything that belongs to it, as a disagreement keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from hfcbench.results.schema import Dataset, LabelSet, Metric, Run
from hfcbench.results.transfer.plain_rows import Row, rows_of

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
        "dataset": list(rows_of(connection, Dataset, Dataset.dataset_id == row["dataset_id"])),
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
    """An evaluation with its labels, the same in every database."""
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
        "labels": list(rows_of(connection, LabelSet, LabelSet.label_set_id.in_(label_sets))),
        "run": connection.scalar(select(Run.uuid).where(Run.run_id == row["run_id"])),
    }
