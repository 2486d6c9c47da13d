"""Analyses and their quantities; how long the curves of a training took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

from hfcbench.results.migrations import views_0002

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KINDS = ("training", "evaluation", "analysis")


def upgrade() -> None:
    with _rebuilt_trainings() as batch:
        batch.add_column(sa.Column("curve_seconds", sa.Double(), nullable=True))
    _allow_kinds(_KINDS)
    op.create_table(
        "analyses",
        sa.Column("analysis_id", sa.Integer(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("training_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("analysis", "analysis_version", "split", "defence", "attack")
        ),
        sa.Column("epsilon", sa.Double(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_seconds", sa.Double(), nullable=False),
        sa.Column("specification", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("analysis_id", name="pk_analyses"),
        sa.UniqueConstraint("identity", name="uq_analyses_identity"),
        _reference("analyses", "training_id", "trainings"),
        _reference("analyses", "run_id", "runs"),
    )
    op.create_index("ix_analyses_training_id", "analyses", ["training_id"])
    op.create_table(
        "quantities",
        sa.Column("quantity_id", sa.Integer(), nullable=False),
        sa.Column("analysis_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("axes", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=True) for name in ("value", "low", "high")),
        sa.Column("dtype", sa.Text(), nullable=True),
        *(
            sa.Column(name, sa.LargeBinary(), nullable=True)
            for name in ("array", "array_low", "array_high")
        ),
        sa.PrimaryKeyConstraint("quantity_id", name="pk_quantities"),
        sa.UniqueConstraint("analysis_id", "name", name="uq_quantities_analysis_id_name"),
        _reference("quantities", "analysis_id", "analyses"),
    )


def downgrade() -> None:
    op.drop_table("quantities")
    op.drop_table("analyses")
    for table in ("failures", "disagreements"):
        op.execute(f"DELETE FROM {table} WHERE kind = 'analysis'")
    _allow_kinds(_KINDS[:2])
    with _rebuilt_trainings() as batch:
        batch.drop_column("curve_seconds")


@contextmanager
def _rebuilt_trainings() -> Iterator[BatchOperations]:
    """The table whole again, as if made anew; SQLite allows that while no view looks at it."""
    for view in reversed(views_0002.VIEWS):
        op.execute(f"DROP VIEW {view}")
    sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table("trainings", recreate="always" if sqlite else "never") as batch:
        yield batch
    for statement in views_0002.VIEWS.values():
        op.execute(statement)


def _allow_kinds(kinds: tuple[str, ...]) -> None:
    allowed = ", ".join(f"'{kind}'" for kind in kinds)
    for table in ("failures", "disagreements"):
        name = op.f(f"ck_{table}_kind")
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(name, type_="check")
            batch.create_check_constraint(name, f"kind IN ({allowed})")


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.{column}"], name=f"fk_{table}_{column}")
