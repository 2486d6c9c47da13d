"""Notes: what people should know about how a run did something."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notes",
        sa.Column("note_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("training_identity", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("note_id", name="pk_notes"),
        sa.CheckConstraint(
            "kind IN ('training', 'evaluation', 'analysis')", name=op.f("ck_notes_kind")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_notes_run_id"),
    )
    op.create_index("ix_notes_run_id", "notes", ["run_id"])
    op.create_index("ix_notes_training_identity", "notes", ["training_identity"])


def downgrade() -> None:
    op.drop_table("notes")
