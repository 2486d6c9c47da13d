"""Detections with their pictures; scores of classes and of single pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

from hfcbench.results.migrations import views_0004, views_0005

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TASK = "ck_datasets_task"
_STATES = "state IN ('finite', 'nan', 'infinity', '-infinity')"
_VALUE = "(state = 'finite') = (value IS NOT NULL)"
_DETECTORS = """
training_id IN (SELECT training_id FROM trainings JOIN datasets
                ON datasets.dataset_id = trainings.dataset_id WHERE datasets.task = 'detection')
"""
_EVALUATIONS = f"evaluation_id IN (SELECT evaluation_id FROM evaluations WHERE {_DETECTORS})"


def upgrade() -> None:
    with _rebuilt_datasets(views_0004.VIEWS, views_0005.VIEWS) as batch:
        task = sa.Column("task", sa.Text(), nullable=False, server_default="classification")
        batch.add_column(task)
        batch.create_check_constraint(op.f(_TASK), "task IN ('classification', 'detection')")
        _create_pictures()
        _create_detections()
        _create_scores()


def downgrade() -> None:
    """The older schema cannot hold what detectors found, nor tell them from classifiers: they go
    with their datasets."""
    with _rebuilt_datasets(views_0005.VIEWS, views_0004.VIEWS) as batch:
        for table in ("class_scores", "picture_scores", "detections", "pictures", "picture_sets"):
            op.drop_table(table)
        _delete_detectors()
        batch.drop_constraint(op.f(_TASK), type_="check")
        batch.drop_column("task")


@contextmanager
def _rebuilt_datasets(before: dict[str, str], after: dict[str, str]) -> Iterator[BatchOperations]:
    """The table whole again, as if made anew; SQLite allows that while no view looks at it."""
    for view in reversed(before):
        op.execute(f"DROP VIEW {view}")
    sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table("datasets", recreate="always" if sqlite else "never") as batch:
        yield batch
    for statement in after.values():
        op.execute(statement)


def _create_pictures() -> None:
    op.create_table(
        "picture_sets",
        sa.Column("picture_set_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("object_count", sa.Integer(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        *_arrays("counts", "boxes", "classes", "areas", "crowds"),
        sa.PrimaryKeyConstraint("picture_set_id", name="pk_picture_sets"),
        sa.UniqueConstraint("sha256", name="uq_picture_sets_sha256"),
    )
    op.create_table(
        "pictures",
        sa.Column("picture_set_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("height", "width", "object_count")
        ),
        sa.PrimaryKeyConstraint("picture_set_id", "position", name="pk_pictures"),
        _reference("pictures", "picture_set_id", "picture_sets"),
        sqlite_with_rowid=False,
    )


def _create_detections() -> None:
    op.create_table(
        "detections",
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("evaluation_id", "picture_set_id", "n", "detection_count")
        ),
        sa.Column("encoding", sa.Text(), nullable=False),
        *_arrays("counts", "boxes", "scores", "classes"),
        sa.PrimaryKeyConstraint("evaluation_id", name="pk_detections"),
        _reference("detections", "evaluation_id", "evaluations"),
        _reference("detections", "picture_set_id", "picture_sets"),
    )


def _create_scores() -> None:
    _create_score_table(
        "class_scores",
        sa.Column("class_name", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
    )
    _create_score_table("picture_scores", sa.Column("position", sa.Integer(), nullable=False))


def _create_score_table(table: str, of: sa.Column[Any], *more: sa.Column[Any]) -> None:
    op.create_table(
        table,
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("metric_id", sa.Integer(), nullable=False),
        of,
        *more,
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("evaluation_id", "metric_id", of.name, name=f"pk_{table}"),
        _reference(table, "evaluation_id", "evaluations"),
        _reference(table, "metric_id", "metrics"),
        sa.CheckConstraint(_STATES, name=op.f(f"ck_{table}_state")),
        sa.CheckConstraint(_VALUE, name=op.f(f"ck_{table}_value")),
        sqlite_with_rowid=False,
    )


def _delete_detectors() -> None:
    """Everything of trainings on detection datasets, from what points to what is pointed to."""
    of_curves = f"curve_id IN (SELECT curve_id FROM curves WHERE {_DETECTORS})"
    of_analyses = f"analysis_id IN (SELECT analysis_id FROM analyses WHERE {_DETECTORS})"
    for table, gone in (
        ("scores", _EVALUATIONS),
        ("reliability_checks", _EVALUATIONS),
        ("predictions", _EVALUATIONS),
        ("evaluations", _DETECTORS),
        ("quantities", of_analyses),
        ("analyses", _DETECTORS),
        ("epochs", of_curves),
        ("curves", _DETECTORS),
        ("artifacts", _DETECTORS),
        ("training_heuristics", _DETECTORS),
        ("trainings", _DETECTORS),
        ("datasets", "task = 'detection'"),
    ):
        op.execute(f"DELETE FROM {table} WHERE {gone}")


def _arrays(*names: str) -> Iterator[sa.Column[Any]]:
    for name in names:
        yield sa.Column(f"{name}_dtype", sa.Text(), nullable=False)
        yield sa.Column(name, sa.LargeBinary(), nullable=False)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.{column}"], name=f"fk_{table}_{column}")
