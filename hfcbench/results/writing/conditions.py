"""The dimensions of scores: conditions and metrics, each stored once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from hfcbench.attack_types import Search
from hfcbench.results.column_types import digest_of
from hfcbench.results.records import EvaluationRecord, ScoreRecord
from hfcbench.results.schema import Condition, Metric
from hfcbench.results.writing.rows import insert_missing, rows_among
from hfcbench.types import JSON

NO_ATTACK = "none"
_SEARCH = ("attack_norm", "criterion", "attack_mode", "attack_precision", "smaller_epsilons")


def condition_row(record: EvaluationRecord) -> dict[str, Any]:
    """The columns of table ``conditions`` for an evaluation."""
    specification = record.specification
    component = mapping_in(specification, "component")
    columns: dict[str, Any] = {
        "procedure": str(specification.get("procedure", "1")),
        "split": record.split,
        "defence": record.defence,
        "defence_version": text_in(specification, "defence", "version"),
        "attack": record.attack,
        "attack_version": text_in(specification, "attack", "version"),
        "epsilon": _number(record.epsilon),
        "component": record.component,
        "part": record.part,
        "cutoff": _number(record.cutoff),
        "cutoff_inner": _number(record.cutoff_inner),
        "decomposition": record.decomposition,
        "decomposition_version": text_in(component, "decomposition", "version"),
        "rescaling": record.rescaling,
        **search_columns(record),
    }
    return {"digest": digest_of(columns), **columns}


def search_columns(record: EvaluationRecord) -> dict[str, Any]:
    """The columns of table ``conditions`` that say how an attack's images were searched for."""
    if record.attack == NO_ATTACK:
        return dict.fromkeys(_SEARCH)
    # Without a choice, every step was taken for every image.
    search = Search("full") if record.search is None else record.search
    smaller = ",".join(f"{epsilon!r}" for epsilon in search.smaller_epsilons) or None
    norm = record.attack_norm or "linf"
    values = (norm, search.criterion, search.mode, search.precision, smaller)
    return dict(zip(_SEARCH, values, strict=True))


def condition_ids(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Store the conditions that are missing; returns the ids by digest."""
    distinct = {row["digest"]: row for row in rows}
    statement = select(Condition.digest, Condition.condition_id)

    def known() -> dict[str, int]:
        return {
            row[0]: row[1]
            for row in rows_among(connection, statement, Condition.digest, list(distinct))
        }

    found = known()
    missing = [row for digest, row in distinct.items() if digest not in found]
    if missing:
        insert_missing(connection, Condition, missing)
        found = known()
    return found


def metric_ids(
    connection: Connection, records: Iterable[ScoreRecord]
) -> dict[tuple[str, str], int]:
    """Store the metrics that are missing; returns the ids by name and version."""
    wanted = {(item.metric, item.metric_version): item.higher_is_better for item in records}

    def known() -> dict[tuple[str, str], int]:
        rows = connection.execute(select(Metric.name, Metric.version, Metric.metric_id))
        return {(row[0], row[1]): row[2] for row in rows}

    found = known()
    missing = [
        {"name": name, "version": version, "higher_is_better": direction}
        for (name, version), direction in wanted.items()
        if (name, version) not in found
    ]
    if missing:
        insert_missing(connection, Metric, missing)
        found = known()
    return found


def mapping_in(specification: Mapping[str, JSON], key: str) -> Mapping[str, JSON]:
    """A part of a specification; empty where it has none of this name."""
    value = specification.get(key)
    return value if isinstance(value, Mapping) else {}


def text_in(specification: Mapping[str, JSON], key: str, inner: str) -> str | None:
    """A reference's name or version out of a specification; None where there is none."""
    value = mapping_in(specification, key).get(inner)
    return value if isinstance(value, str) else None


def _number(value: float | None) -> float | None:
    # 8 and 8.0 are one condition.
    return None if value is None else float(value)
