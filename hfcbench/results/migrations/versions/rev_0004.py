"""Conditions say how adversarial images were searched for; scores get checks of reliability."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from hfcbench.results.migrations import views_0002, views_0004

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_OLD = (
    *("procedure", "split", "defence", "defence_version", "attack", "attack_version", "epsilon"),
    *("component", "part", "cutoff", "cutoff_inner"),
    *("decomposition", "decomposition_version", "rescaling"),
)
_NEW = ("attack_norm", "criterion", "attack_mode", "attack_precision", "smaller_epsilons")
# Until now every step was taken for every image, in float32, on the defended model, and epsilons
# were of the largest change of a pixel.
_BEFORE = {
    "attack_norm": "linf",
    "criterion": "full",
    "attack_mode": "adaptive",
    "attack_precision": "float32",
}


def upgrade() -> None:
    _drop_views(views_0002.VIEWS)
    # Whole again, as if made anew.
    sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table("conditions", recreate="always" if sqlite else "never") as batch:
        for name in _NEW:
            batch.add_column(sa.Column(name, sa.Text(), nullable=True))
    for name, value in _BEFORE.items():
        op.execute(f"UPDATE conditions SET {name} = '{value}' WHERE attack <> 'none'")
    _renew_digests((*_OLD, *_NEW))
    op.create_table(
        "reliability_checks",
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("evaluation_id", "name", name="pk_reliability_checks"),
        sa.ForeignKeyConstraint(
            ["evaluation_id"],
            ["evaluations.evaluation_id"],
            name="fk_reliability_checks_evaluation_id",
        ),
        sqlite_with_rowid=False,
    )
    _create_views(views_0004.VIEWS)


def downgrade() -> None:
    """The older schema cannot tell other searches apart: their evaluations go."""
    _drop_views(views_0004.VIEWS)
    op.drop_table("reliability_checks")
    as_before = " AND ".join(f"{name} = '{value}'" for name, value in _BEFORE.items())
    gone = f"SELECT condition_id FROM conditions WHERE attack <> 'none' AND NOT ({as_before})"
    evaluations = f"SELECT evaluation_id FROM evaluations WHERE condition_id IN ({gone})"
    for table in ("scores", "predictions", "evaluations"):
        op.execute(f"DELETE FROM {table} WHERE evaluation_id IN ({evaluations})")
    op.execute(f"DELETE FROM conditions WHERE condition_id IN ({gone})")
    with op.batch_alter_table("conditions") as batch:
        for name in _NEW:
            batch.drop_column(name)
    _renew_digests(_OLD)
    _create_views(views_0002.VIEWS)


def _renew_digests(columns: tuple[str, ...]) -> None:
    connection = op.get_bind()
    table = sa.table("conditions", *map(sa.column, ("condition_id", "digest", *columns)))
    for row in connection.execute(sa.select(table)).all():
        values = {name: getattr(row, name) for name in columns}
        connection.execute(
            sa.update(table)
            .where(table.c.condition_id == row.condition_id)
            .values(digest=_digest(values))
        )


def _digest(values: dict[str, Any]) -> str:
    text = json.dumps(
        values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _drop_views(views: dict[str, str]) -> None:
    for view in reversed(views):
        op.execute(f"DROP VIEW {view}")


def _create_views(views: dict[str, str]) -> None:
    for statement in views.values():
        op.execute(statement)
