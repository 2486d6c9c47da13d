"""Inserting analyses with their quantities, and finding them again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from hfcbench.quantities import Quantity
from hfcbench.results.records import AnalysisRecord
from hfcbench.results.schema import Analysis
from hfcbench.results.schema import Quantity as QuantityRow
from hfcbench.results.writing import writes
from hfcbench.results.writing.conditions import text_in
from hfcbench.results.writing.quantities import quantity_of, quantity_row
from hfcbench.results.writing.rows import insert_missing, insert_row, rows_among


def insert_analyses(connection: Connection, records: Sequence[AnalysisRecord], run_id: int) -> None:
    """Add analyses whose identities are not known yet; their trainings must be.

    Raises:
        StoreError: a training is missing.
    """
    known = find_analyses(connection, [record.identity for record in records])
    new = {item.identity: item for item in records if item.identity not in known}
    trainings = writes.training_ids(
        connection, list({record.training_identity for record in new.values()})
    )
    for record in new.values():
        key = insert_row(
            connection,
            Analysis,
            {
                "identity": record.identity,
                "training_id": trainings[record.training_identity],
                "run_id": run_id,
                "analysis": record.analysis,
                "analysis_version": text_in(record.specification, "analysis", "version") or "",
                "split": record.split,
                "defence": record.defence,
                "attack": record.attack,
                "epsilon": None if record.epsilon is None else float(record.epsilon),
                "n": record.n,
                "device": record.device,
                "started_at": record.started_at,
                "duration_seconds": record.duration_seconds,
                "specification": record.specification,
            },
        )
        rows = [{"analysis_id": key, **quantity_row(item)} for item in record.quantities]
        insert_missing(connection, QuantityRow, rows)


def find_analyses(connection: Connection, identities: Sequence[str]) -> set[str]:
    """Those of the identities that are finished analyses."""
    statement = select(Analysis.identity)
    return {row[0] for row in rows_among(connection, statement, Analysis.identity, identities)}


def read_quantities(
    connection: Connection, identities: Sequence[str]
) -> dict[str, tuple[Quantity, ...]]:
    """The quantities of those analyses that are finished, by identity, in their order.

    Raises:
        StoreError: stored bytes are damaged.
    """
    columns = [column for column in QuantityRow.__table__.columns if column.name != "analysis_id"]
    statement = (
        select(Analysis.identity, *columns)
        .join_from(QuantityRow, Analysis)
        .order_by(QuantityRow.quantity_id)
    )
    found: dict[str, list[Quantity]] = {}
    for row in rows_among(connection, statement, Analysis.identity, identities):
        values = dict(zip((column.name for column in columns), row[1:], strict=True))
        found.setdefault(row[0], []).append(quantity_of(values))
    return {identity: tuple(quantities) for identity, quantities in found.items()}
