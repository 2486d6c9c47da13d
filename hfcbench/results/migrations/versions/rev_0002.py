"""Conditions and metrics become tables of their own; runs say more; claims and disagreements."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from hfcbench.results.migrations import views_0001, views_0002

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CONDITION_COLUMNS = (
    *("procedure", "split", "defence", "defence_version", "attack", "attack_version", "epsilon"),
    *("component", "part", "cutoff", "cutoff_inner"),
    *("decomposition", "decomposition_version", "rescaling"),
)
_MOVED = _CONDITION_COLUMNS[1:]
_REQUIRED = {"split", "defence", "attack", "component", "part"}
_NUMBERS = {"epsilon", "cutoff", "cutoff_inner"}
_CHUNK = 10_000
_STATE = "state IN ('finite', 'nan', 'infinity', '-infinity')"
_VALUE = "(state = 'finite') = (value IS NOT NULL)"


def upgrade() -> None:
    _drop_views(views_0001.VIEWS)
    _extend_runs()
    _extend_trainings()
    _create_dimensions()
    _move_conditions()
    _rebuild_scores_with_keys()
    _create_bookkeeping()
    for statement in views_0002.VIEWS.values():
        op.execute(statement)


def downgrade() -> None:
    _drop_views(views_0002.VIEWS)
    op.drop_table("claims")
    op.drop_table("disagreements")
    _rebuild_scores_with_names()
    _move_conditions_back()
    op.drop_table("metrics")
    op.drop_table("conditions")
    op.drop_table("training_heuristics")
    op.drop_index("ix_trainings_configuration", "trainings")
    with op.batch_alter_table("trainings") as batch:
        batch.drop_column("configuration")
        batch.drop_column("scale")
    with op.batch_alter_table("runs") as batch:
        batch.drop_constraint("uq_runs_uuid", type_="unique")
        for name in ("uuid", "driver_version", "packages", "device_name"):
            batch.drop_column(name)
    for statement in views_0001.VIEWS.values():
        op.execute(statement)


def _extend_runs() -> None:
    with op.batch_alter_table("runs") as batch:
        batch.add_column(sa.Column("uuid", sa.Text(), nullable=True))
        batch.add_column(sa.Column("driver_version", sa.Text(), nullable=True))
        batch.add_column(sa.Column("packages", sa.Text(), nullable=True))
        batch.add_column(sa.Column("device_name", sa.Text(), nullable=True))

    def values(row: Sequence[Any]) -> dict[str, Any]:
        run_id, started_at, host, command, torch_version = row
        # The same run keeps its name in every copy of the database.
        name = f"{run_id}\n{started_at}\n{host}\n{command}"
        return {
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
            "packages": _canonical({"torch": torch_version}),
        }

    started_at = sa.cast(sa.column("started_at"), sa.Text())
    _fill("runs", "run_id", [started_at, "host", "command", "torch_version"], values)
    with op.batch_alter_table("runs") as batch:
        batch.alter_column("uuid", existing_type=sa.Text(), nullable=False)
        batch.alter_column("packages", existing_type=sa.Text(), nullable=False)
        batch.create_unique_constraint("uq_runs_uuid", ["uuid"])


def _extend_trainings() -> None:
    with op.batch_alter_table("trainings") as batch:
        batch.add_column(sa.Column("configuration", sa.Text(), nullable=True))
        batch.add_column(sa.Column("scale", sa.Text(), nullable=True))

    def values(row: Sequence[Any]) -> dict[str, Any]:
        specification = json.loads(row[1])
        specification.pop("seed", None)
        return {"configuration": _sha256(_canonical(specification)), "scale": "full"}

    _fill("trainings", "training_id", ["specification"], values)
    with op.batch_alter_table("trainings") as batch:
        batch.alter_column("configuration", existing_type=sa.Text(), nullable=False)
        batch.alter_column("scale", existing_type=sa.Text(), nullable=False)
    op.create_index("ix_trainings_configuration", "trainings", ["configuration"])
    op.create_table(
        "training_heuristics",
        sa.Column("training_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("training_id", "position", name="pk_training_heuristics"),
        _reference("training_heuristics", "training_id", "trainings"),
    )
    op.create_index("ix_training_heuristics_name", "training_heuristics", ["name"])
    for training_id, heuristics in _rows("trainings", ["training_id", "heuristics"]):
        members = [] if heuristics == "vanilla" else _members(heuristics)
        for position, label in enumerate(members):
            name = label.partition("(")[0].partition(":")[0]
            _insert(
                "training_heuristics",
                {"training_id": training_id, "position": position, "name": name, "label": label},
            )


def _create_dimensions() -> None:
    op.create_table(
        "conditions",
        sa.Column("condition_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        *(
            _condition_column(name, required={*_REQUIRED, "procedure"})
            for name in _CONDITION_COLUMNS
        ),
        sa.PrimaryKeyConstraint("condition_id", name="pk_conditions"),
        sa.UniqueConstraint("digest", name="uq_conditions_digest"),
    )
    op.create_table(
        "metrics",
        sa.Column("metric_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("higher_is_better", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("metric_id", name="pk_metrics"),
        sa.UniqueConstraint("name", "version", name="uq_metrics_name_version"),
    )


def _move_conditions() -> None:
    with op.batch_alter_table("evaluations") as batch:
        batch.add_column(sa.Column("condition_id", sa.Integer(), nullable=True))
    known: dict[str, int] = {}

    def values(row: Sequence[Any]) -> dict[str, Any]:
        procedure = str(json.loads(row[1]).get("procedure", "1"))
        condition = dict(zip(_CONDITION_COLUMNS, (procedure, *row[2:]), strict=True))
        digest = _sha256(_canonical(condition))
        if digest not in known:
            known[digest] = len(known) + 1
            _insert("conditions", {"digest": digest, **condition})
        return {"condition_id": known[digest]}

    _fill("evaluations", "evaluation_id", ["specification", *_MOVED], values)
    op.drop_index("ix_evaluations_training_id_attack", "evaluations")
    with op.batch_alter_table("evaluations") as batch:
        batch.alter_column("condition_id", existing_type=sa.Integer(), nullable=False)
        batch.create_foreign_key(
            "fk_evaluations_condition_id", "conditions", ["condition_id"], ["condition_id"]
        )
        for name in _MOVED:
            batch.drop_column(name)
    op.create_index(
        "ix_evaluations_training_id_condition_id", "evaluations", ["training_id", "condition_id"]
    )


def _move_conditions_back() -> None:
    op.drop_index("ix_evaluations_training_id_condition_id", "evaluations")
    with op.batch_alter_table("evaluations") as batch:
        for name in _MOVED:
            batch.add_column(_condition_column(name, required=set()))
    for name in _MOVED:
        op.execute(
            f"UPDATE evaluations SET {name} = (SELECT conditions.{name} FROM conditions "
            "WHERE conditions.condition_id = evaluations.condition_id)"
        )
    with op.batch_alter_table("evaluations") as batch:
        for name in sorted(_REQUIRED):
            batch.alter_column(name, existing_type=sa.Text(), nullable=False)
        batch.drop_constraint("fk_evaluations_condition_id", type_="foreignkey")
        batch.drop_column("condition_id")
    op.create_index("ix_evaluations_training_id_attack", "evaluations", ["training_id", "attack"])


def _rebuild_scores_with_keys() -> None:
    op.execute(
        "INSERT INTO metrics (name, version, higher_is_better) "
        "SELECT DISTINCT metric, metric_version, metric <> 'loss' FROM scores "
        "ORDER BY metric, metric_version"
    )
    op.execute("CREATE TABLE scores_before AS SELECT * FROM scores")
    op.drop_table("scores")
    op.create_table(
        "scores",
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("evaluation_id", "metric_id", "training_id", "condition_id", "n")
        ),
        *_measured(),
        sa.PrimaryKeyConstraint("evaluation_id", "metric_id", name="pk_scores"),
        _reference("scores", "evaluation_id", "evaluations"),
        _reference("scores", "metric_id", "metrics"),
        _reference("scores", "training_id", "trainings"),
        _reference("scores", "condition_id", "conditions"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO scores (evaluation_id, metric_id, training_id, condition_id, n, "
        "value, state, low, high) "
        "SELECT scores_before.evaluation_id, metrics.metric_id, evaluations.training_id, "
        "evaluations.condition_id, scores_before.n, scores_before.value, scores_before.state, "
        "scores_before.low, scores_before.high FROM scores_before "
        "JOIN evaluations ON evaluations.evaluation_id = scores_before.evaluation_id "
        "JOIN metrics ON metrics.name = scores_before.metric "
        "AND metrics.version = scores_before.metric_version"
    )
    op.drop_table("scores_before")
    op.create_index(
        "ix_scores_ranking", "scores", ["metric_id", "condition_id", "training_id", "n", "value"]
    )


def _rebuild_scores_with_names() -> None:
    op.execute("CREATE TABLE scores_before AS SELECT * FROM scores")
    op.drop_table("scores")
    op.create_table(
        "scores",
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("metric_version", sa.Text(), nullable=False),
        *_measured(),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("evaluation_id", "metric", "metric_version", name="pk_scores"),
        _reference("scores", "evaluation_id", "evaluations"),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO scores (evaluation_id, metric, metric_version, value, state, low, high, n) "
        "SELECT scores_before.evaluation_id, metrics.name, metrics.version, scores_before.value, "
        "scores_before.state, scores_before.low, scores_before.high, scores_before.n "
        "FROM scores_before JOIN metrics ON metrics.metric_id = scores_before.metric_id"
    )
    op.drop_table("scores_before")


def _create_bookkeeping() -> None:
    op.create_table(
        "claims",
        sa.Column("training_identity", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("process_id", sa.Integer(), nullable=False),
        sa.Column("process_started", sa.Double(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("training_identity", name="pk_claims"),
        _reference("claims", "run_id", "runs"),
    )
    op.create_index("ix_claims_run_id", "claims", ["run_id"])
    op.create_table(
        "disagreements",
        sa.Column("disagreement_id", sa.Integer(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("disagreement_id", name="pk_disagreements"),
        sa.UniqueConstraint("digest", name="uq_disagreements_digest"),
        sa.CheckConstraint(
            "kind IN ('training', 'evaluation')", name=op.f("ck_disagreements_kind")
        ),
        _reference("disagreements", "run_id", "runs"),
    )
    op.create_index("ix_disagreements_identity", "disagreements", ["identity"])


def _drop_views(views: dict[str, str]) -> None:
    for view in reversed(views):
        op.execute(f"DROP VIEW {view}")


def _condition_column(name: str, required: set[str]) -> sa.Column[Any]:
    kind = sa.Double() if name in _NUMBERS else sa.Text()
    return sa.Column(name, kind, nullable=name not in required)


def _measured() -> list[Any]:
    return [
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.CheckConstraint(_STATE, name=op.f("ck_scores_state")),
        sa.CheckConstraint(_VALUE, name=op.f("ck_scores_value")),
    ]


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.{column}"], name=f"fk_{table}_{column}")


def _fill(
    table: str,
    key: str,
    columns: Sequence[Any],
    values: Callable[[Sequence[Any]], dict[str, Any]],
) -> None:
    """Set columns of every row from values of others; ``values`` is given the key first."""
    connection = op.get_bind()
    changes: list[dict[str, Any]] = []
    for row in _rows(table, [key, *columns]):
        changes.append({"the_key": row[0], **values(row)})
    if not changes:
        return
    names = [name for name in changes[0] if name != "the_key"]
    target = sa.table(table, sa.column(key), *map(sa.column, names))
    statement = (
        sa.update(target)
        .where(target.c[key] == sa.bindparam("the_key"))
        .values({name: sa.bindparam(name) for name in names})
    )
    for start in range(0, len(changes), _CHUNK):
        connection.execute(statement, changes[start : start + _CHUNK])


def _rows(table: str, columns: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """All rows of a table by their first column, a chunk at a time."""
    selected = [sa.column(item) if isinstance(item, str) else item for item in columns]
    statement = sa.select(*selected).select_from(sa.table(table)).order_by(selected[0])
    after: Any = None
    while True:
        chunk = statement if after is None else statement.where(selected[0] > after)
        rows = op.get_bind().execute(chunk.limit(_CHUNK)).all()
        yield from map(tuple, rows)
        if len(rows) < _CHUNK:
            return
        after = rows[-1][0]


def _insert(table: str, row: dict[str, Any]) -> None:
    target = sa.table(table, *map(sa.column, row))
    op.get_bind().execute(sa.insert(target).values(**row))


def _members(combination: str) -> list[str]:
    """``a(x=1+2)+b`` taken apart at the plus signs outside of parentheses."""
    members, depth = [""], 0
    for letter in combination:
        depth += (letter == "(") - (letter == ")")
        if letter == "+" and not depth:
            members.append("")
        else:
            members[-1] += letter
    return members


def _canonical(value: Any) -> str:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
