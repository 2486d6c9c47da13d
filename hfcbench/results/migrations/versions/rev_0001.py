"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hfcbench.results.migrations.views_0001 import VIEWS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATE = "state IN ('finite', 'nan', 'infinity', '-infinity')"
_VALUE = "(state = 'finite') = (value IS NOT NULL)"

_TABLES = (
    *("runs", "plugins", "run_plugins", "datasets", "trainings", "artifacts", "curves", "epochs"),
    *("evaluations", "scores", "label_sets", "predictions", "failures"),
)


def upgrade() -> None:
    _create_runs()
    _create_datasets()
    _create_trainings()
    _create_curves()
    _create_evaluations()
    _create_scores()
    _create_predictions()
    _create_failures()
    for statement in VIEWS.values():
        op.execute(statement)


def downgrade() -> None:
    for view in reversed(VIEWS):
        op.execute(f"DROP VIEW {view}")
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_runs() -> None:
    op.create_table(
        "runs",
        _key("run_id"),
        _moment("started_at"),
        _moment("finished_at", nullable=True),
        *_texts("status", "command", "suite"),
        *_texts("hfcbench_version", "python_version", "torch_version"),
        *_texts("cuda_version", "git_revision", nullable=True),
        sa.Column("git_dirty", sa.Boolean(), nullable=True),
        *_texts("host", "platform", "device"),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
    )
    op.create_table(
        "plugins",
        _key("plugin_id"),
        *_texts("name", "distribution", "version"),
        sa.PrimaryKeyConstraint("plugin_id", name="pk_plugins"),
        sa.UniqueConstraint(
            "name", "distribution", "version", name="uq_plugins_name_distribution_version"
        ),
    )
    op.create_table(
        "run_plugins",
        *_integers("run_id", "plugin_id"),
        sa.PrimaryKeyConstraint("run_id", "plugin_id", name="pk_run_plugins"),
        _reference("run_plugins", "run_id", "runs"),
        _reference("run_plugins", "plugin_id", "plugins"),
    )


def _create_datasets() -> None:
    op.create_table(
        "datasets",
        _key("dataset_id"),
        *_texts("name", "version", "fingerprint", "parameters", "classes"),
        *_integers("channels", "height", "width"),
        *_texts("sizes", "source"),
        sa.PrimaryKeyConstraint("dataset_id", name="pk_datasets"),
        sa.UniqueConstraint(
            "name", "version", "fingerprint", name="uq_datasets_name_version_fingerprint"
        ),
    )


def _create_trainings() -> None:
    op.create_table(
        "trainings",
        _key("training_id"),
        *_texts("identity"),
        *_integers("run_id", "dataset_id"),
        *_texts("model"),
        *_texts("model_version", nullable=True),
        *_texts("heuristics", "trained_on"),
        *_texts("decomposition", "rescaling", nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        *_integers("epochs"),
        sa.Column("parameter_count", sa.BigInteger(), nullable=False),
        *_texts("device"),
        _moment("started_at"),
        sa.Column("duration_seconds", sa.Double(), nullable=False),
        *_texts("specification"),
        sa.PrimaryKeyConstraint("training_id", name="pk_trainings"),
        sa.UniqueConstraint("identity", name="uq_trainings_identity"),
        _reference("trainings", "run_id", "runs"),
        _reference("trainings", "dataset_id", "datasets"),
    )
    op.create_index("ix_trainings_dataset_id", "trainings", ["dataset_id"])
    op.create_table(
        "artifacts",
        _key("artifact_id"),
        *_integers("training_id"),
        *_texts("kind", "path", "sha256"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("artifact_id", name="pk_artifacts"),
        sa.UniqueConstraint(
            "training_id", "kind", "path", name="uq_artifacts_training_id_kind_path"
        ),
        _reference("artifacts", "training_id", "trainings"),
    )


def _create_curves() -> None:
    op.create_table(
        "curves",
        _key("curve_id"),
        *_integers("training_id"),
        *_texts("split", "component"),
        *_texts("decomposition", "rescaling", nullable=True),
        *_texts("metric"),
        *_integers("n"),
        sa.PrimaryKeyConstraint("curve_id", name="pk_curves"),
        _reference("curves", "training_id", "trainings"),
    )
    op.create_index("ix_curves_training_id", "curves", ["training_id"])
    for name, columns, condition in (
        ("uq_curves_part", ("decomposition", "rescaling"), "decomposition IS NOT NULL"),
        ("uq_curves_original", (), "decomposition IS NULL"),
    ):
        op.create_index(
            name,
            "curves",
            ["training_id", "split", "component", "metric", "n", *columns],
            unique=True,
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
    op.create_table(
        "epochs",
        *_integers("curve_id", "epoch"),
        *_measured("epochs"),
        sa.PrimaryKeyConstraint("curve_id", "epoch", name="pk_epochs"),
        _reference("epochs", "curve_id", "curves"),
        sqlite_with_rowid=False,
    )


def _create_evaluations() -> None:
    op.create_table(
        "evaluations",
        _key("evaluation_id"),
        *_texts("identity"),
        *_integers("training_id", "run_id"),
        *_texts("split", "defence"),
        *_texts("defence_version", nullable=True),
        *_texts("attack"),
        *_texts("attack_version", nullable=True),
        sa.Column("epsilon", sa.Double(), nullable=True),
        *_texts("component", "part"),
        sa.Column("cutoff", sa.Double(), nullable=True),
        sa.Column("cutoff_inner", sa.Double(), nullable=True),
        *_texts("decomposition", "decomposition_version", "rescaling", nullable=True),
        *_integers("n"),
        *_texts("device"),
        _moment("started_at"),
        sa.Column("duration_seconds", sa.Double(), nullable=False),
        *_texts("specification"),
        sa.PrimaryKeyConstraint("evaluation_id", name="pk_evaluations"),
        sa.UniqueConstraint("identity", name="uq_evaluations_identity"),
        _reference("evaluations", "training_id", "trainings"),
        _reference("evaluations", "run_id", "runs"),
    )
    op.create_index("ix_evaluations_training_id_attack", "evaluations", ["training_id", "attack"])


def _create_scores() -> None:
    op.create_table(
        "scores",
        *_integers("evaluation_id"),
        *_texts("metric", "metric_version"),
        *_measured("scores"),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        *_integers("n"),
        sa.PrimaryKeyConstraint("evaluation_id", "metric", "metric_version", name="pk_scores"),
        _reference("scores", "evaluation_id", "evaluations"),
        sqlite_with_rowid=False,
    )


def _create_predictions() -> None:
    op.create_table(
        "label_sets",
        _key("label_set_id"),
        *_texts("sha256"),
        *_integers("n"),
        *_texts("encoding"),
        *_packed("labels"),
        sa.PrimaryKeyConstraint("label_set_id", name="pk_label_sets"),
        sa.UniqueConstraint("sha256", name="uq_label_sets_sha256"),
    )
    op.create_table(
        "predictions",
        *_integers("evaluation_id", "label_set_id", "n"),
        *_texts("encoding"),
        *_packed("predicted"),
        *_packed("confidence"),
        *_packed("loss"),
        sa.PrimaryKeyConstraint("evaluation_id", name="pk_predictions"),
        _reference("predictions", "evaluation_id", "evaluations"),
        _reference("predictions", "label_set_id", "label_sets"),
    )


def _create_failures() -> None:
    op.create_table(
        "failures",
        _key("failure_id"),
        *_integers("run_id"),
        *_texts("identity", "kind", "label", "error", "traceback"),
        _moment("failed_at"),
        sa.PrimaryKeyConstraint("failure_id", name="pk_failures"),
        sa.CheckConstraint("kind IN ('training', 'evaluation')", name=op.f("ck_failures_kind")),
        _reference("failures", "run_id", "runs"),
    )
    op.create_index("ix_failures_run_id", "failures", ["run_id"])
    op.create_index("ix_failures_identity", "failures", ["identity"])


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _integers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _moment(name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _packed(name: str) -> list[sa.Column[object]]:
    return [
        sa.Column(f"{name}_dtype", sa.Text(), nullable=False),
        sa.Column(name, sa.LargeBinary(), nullable=False),
    ]


def _measured(table: str) -> list[sa.Column[object] | sa.CheckConstraint]:
    return [
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint(_STATE, name=op.f(f"ck_{table}_state")),
        sa.CheckConstraint(_VALUE, name=op.f(f"ck_{table}_value")),
    ]


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.{column}"], name=f"fk_{table}_{column}")
