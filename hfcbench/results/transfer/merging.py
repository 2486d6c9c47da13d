"""The steps of a merge, from tables that others point to, to those that point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select, update

from hfcbench.errors import StoreError
from hfcbench.results.column_types import digest_of
from hfcbench.results.schema import (
    Analysis,
    Artifact,
    Base,
    Condition,
    Curve,
    Dataset,
    Detection,
    Epoch,
    Evaluation,
    Failure,
    LabelSet,
    Metric,
    Note,
    PictureSet,
    Plugin,
    Prediction,
    Quantity,
    ReliabilityCheck,
    Run,
    RunPlugin,
    Score,
    Training,
    TrainingHeuristic,
)
from hfcbench.results.transfer.contents import (
    analysis_content,
    evaluation_content,
    training_content,
)
from hfcbench.results.transfer.differences import (
    analysis_difference,
    evaluation_difference,
    training_difference,
)
from hfcbench.results.transfer.disagreements import Disagreements
from hfcbench.results.transfer.merging_detections import (
    add_detailed_scores,
    add_pictures,
    detailed_scores,
)
from hfcbench.results.transfer.plain_rows import (
    Row,
    chunks,
    key_name,
    keys_by_identity,
    parts_of_evaluations,
    parts_of_training,
    quantities_of,
    rows_of,
    with_keys,
    without,
)
from hfcbench.results.writing.rows import insert_missing, insert_row
from hfcbench.results.writing.writes import check_artifact_path

Keys = dict[int, int]


class Merging:
    """One merge between two open transactions; calling it does all of it."""

    def __init__(
        self,
        source: Connection,
        target: Connection,
        added: Counter[str],
        known: Counter[str],
        disagreements: list[str],
    ) -> None:
        self._source = source
        self._target = target
        self._added = added
        self._known = known
        self._found_disagreements = disagreements
        self._other_checkpoints: set[int] = set()

    def __call__(self) -> None:
        self._runs = self._dimension(Run, ["uuid"])
        self._disagreements = Disagreements(
            self._source, self._target, self._runs, self._found_disagreements
        )
        self._end_runs()
        plugins = self._dimension(Plugin, ["name", "distribution", "version"])
        self._run_plugins(plugins)
        self._datasets = self._dimension(Dataset, ["name", "version", "fingerprint"])
        self._conditions = self._dimension(Condition, ["digest"])
        self._metrics = self._dimension(Metric, ["name", "version"])
        self._label_sets = self._dimension(LabelSet, ["sha256"])
        self._picture_sets = self._dimension(PictureSet, ["sha256"])
        add_pictures(self._source, self._target, self._picture_sets)
        self._trainings = self._merge_trainings()
        self._merge_evaluations()
        self._merge_analyses()
        self._merge_failures()
        self._merge_notes()
        self._disagreements.merge()

    def _dimension(self, table: type[Base], natural: Sequence[str]) -> Keys:
        """Add the rows that the target lacks; returns the target's key of each source key."""
        key = key_name(table)
        columns = [getattr(table, name) for name in (key, *natural)]
        known = {tuple(row[1:]): row[0] for row in self._target.execute(select(*columns))}
        keys = {}
        for row in rows_of(self._source, table):
            own = row.pop(key)
            name = tuple(row[column] for column in natural)
            if name not in known:
                known[name] = insert_row(self._target, table, row)
                self._added[table.__tablename__] += 1
            keys[own] = known[name]
        return keys

    def _end_runs(self) -> None:
        """A run that was still going on when it was merged last, and has ended since."""
        for row in rows_of(self._source, Run, Run.finished_at.is_not(None)):
            ended = {"status": row["status"], "finished_at": row["finished_at"]}
            here = Run.run_id == self._runs[row["run_id"]]
            self._target.execute(update(Run).where(here, Run.finished_at.is_(None)).values(**ended))

    def _run_plugins(self, plugins: Keys) -> None:
        rows = with_keys(rows_of(self._source, RunPlugin), "run_id", self._runs)
        insert_missing(self._target, RunPlugin, with_keys(rows, "plugin_id", plugins))

    def _merge_trainings(self) -> Keys:
        keys = {}
        known = keys_by_identity(self._target, Training)
        for row in rows_of(self._source, Training):
            own = row["training_id"]
            _require_true_identity("training", row)
            parts = parts_of_training(self._source, own)
            for artifact in parts["artifacts"]:
                # The source may be anybody's; its paths are opened below the artifacts folder.
                check_artifact_path(artifact["path"])
            if row["identity"] in known:
                keys[own] = known[row["identity"]]
                self._known_training(row, parts, keys[own])
            else:
                new = {k: v for k, v in row.items() if k != "training_id"}
                new["run_id"] = self._runs[row["run_id"]]
                new["dataset_id"] = self._datasets[row["dataset_id"]]
                keys[own] = insert_row(self._target, Training, new)
                self._added["trainings"] += 1
                self._add_parts(parts, keys[own])
        return keys

    def _add_parts(self, parts: Mapping[str, list[Row]], training_id: int) -> None:
        """Heuristics, artifacts and curves that a training lacks."""
        of_training = {"training_id": training_id}
        for table, rows in ((TrainingHeuristic, "heuristics"), (Artifact, "artifacts")):
            new = [{**row, **of_training} for row in parts[rows]]
            insert_missing(self._target, table, [without(row, "artifact_id") for row in new])
        for curve in parts["curves"]:
            row = {k: v for k, v in curve.items() if k not in ("curve_id", "points")} | of_training
            insert_missing(self._target, Curve, [row])
            same = [getattr(Curve, name).is_not_distinct_from(value) for name, value in row.items()]
            curve_id = self._target.scalars(select(Curve.curve_id).where(*same)).one()
            points = [{**point, "curve_id": curve_id} for point in curve["points"]]
            insert_missing(self._target, Epoch, points)

    def _known_training(self, row: Row, parts: Mapping[str, list[Row]], key: int) -> None:
        mine = parts_of_training(self._target, key)
        difference = training_difference(parts, mine)
        if difference is None:
            self._known["trainings"] += 1
            # Files of one kind are the same, wherever they lie.
            kinds = {item["kind"] for item in mine["artifacts"]}
            others = [item for item in parts["artifacts"] if item["kind"] not in kinds]
            self._add_parts({**parts, "artifacts": others}, key)
            return
        if difference.other_checkpoint:
            self._other_checkpoints.add(row["training_id"])
        content = training_content(self._source, row, parts)
        self._disagreements.add("training", row, content, difference.summary)

    def _merge_evaluations(self) -> None:
        known = keys_by_identity(self._target, Evaluation)
        for chunk in chunks(self._source, Evaluation):
            parts = parts_of_evaluations(self._source, [row["evaluation_id"] for row in chunk])
            for row in chunk:
                own = parts[row["evaluation_id"]]
                _require_true_identity("evaluation", row)
                if row["training_id"] in self._other_checkpoints:
                    summary = "it was computed from a checkpoint that the target does not have"
                    content = evaluation_content(self._source, row, own)
                    self._disagreements.add("evaluation", row, content, summary)
                elif row["identity"] in known:
                    self._known_evaluation(row, own, known[row["identity"]])
                else:
                    self._add_evaluation(row, own)

    def _add_evaluation(self, row: Row, parts: Mapping[str, list[Row]]) -> None:
        training_id = self._trainings[row["training_id"]]
        condition_id = self._conditions[row["condition_id"]]
        new = without(row, "evaluation_id") | {
            "training_id": training_id,
            "condition_id": condition_id,
            "run_id": self._runs[row["run_id"]],
        }
        key = insert_row(self._target, Evaluation, new)
        self._added["evaluations"] += 1
        self._add_scores(parts["scores"], key, training_id, condition_id)
        self._add_checks(parts["checks"], key)
        for prediction in parts["predictions"]:
            label_set_id = self._label_sets[prediction["label_set_id"]]
            changed = {"evaluation_id": key, "label_set_id": label_set_id}
            insert_missing(self._target, Prediction, [prediction | changed])
        found = with_keys(parts["detections"], "picture_set_id", self._picture_sets)
        insert_missing(self._target, Detection, [{**row, "evaluation_id": key} for row in found])
        add_detailed_scores(self._target, self._details(row, parts), key)

    def _details(self, row: Row, parts: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
        """The source's scores of classes and pictures, with the target's keys of metrics."""
        detections = parts["detections"]
        return detailed_scores(self._source, row["evaluation_id"], detections, self._metrics)

    def _add_scores(
        self, scores: Sequence[Row], evaluation_id: int, training_id: int, condition_id: int
    ) -> None:
        place = {
            "evaluation_id": evaluation_id,
            "training_id": training_id,
            "condition_id": condition_id,
        }
        rows = [row | place for row in with_keys(scores, "metric_id", self._metrics)]
        insert_missing(self._target, Score, rows)

    def _add_checks(self, checks: Sequence[Row], evaluation_id: int) -> None:
        rows = [{**check, "evaluation_id": evaluation_id} for check in checks]
        insert_missing(self._target, ReliabilityCheck, rows)

    def _known_evaluation(self, row: Row, parts: Mapping[str, list[Row]], key: int) -> None:
        mine = parts_of_evaluations(self._target, [key])[key]
        details = self._details(row, parts)
        theirs = {
            **parts,
            **details,
            "scores": with_keys(parts["scores"], "metric_id", self._metrics),
            "detections": with_keys(parts["detections"], "picture_set_id", self._picture_sets),
        }
        mine |= detailed_scores(self._target, key, mine["detections"])
        difference = evaluation_difference(theirs, mine)
        if difference is not None:
            content = evaluation_content(self._source, row, parts)
            self._disagreements.add("evaluation", row, content, difference)
            return
        self._known["evaluations"] += 1
        training_id = self._trainings[row["training_id"]]
        condition_id = self._conditions[row["condition_id"]]
        self._add_scores(parts["scores"], key, training_id, condition_id)
        self._add_checks(parts["checks"], key)
        add_detailed_scores(self._target, details, key)

    def _merge_analyses(self) -> None:
        known = keys_by_identity(self._target, Analysis)
        for row in rows_of(self._source, Analysis):
            quantities = quantities_of(self._source, row["analysis_id"])
            _require_true_identity("analysis", row)
            summary: str | None = None
            if row["training_id"] in self._other_checkpoints:
                summary = "it was computed from a checkpoint that the target does not have"
            elif row["identity"] in known:
                mine = quantities_of(self._target, known[row["identity"]])
                summary = analysis_difference(quantities, mine)
                self._known["analyses"] += summary is None
            else:
                self._add_analysis(row, quantities)
            if summary is not None:
                content = analysis_content(self._source, row, quantities)
                self._disagreements.add("analysis", row, content, summary)

    def _add_analysis(self, row: Row, quantities: Sequence[Row]) -> None:
        new = without(row, "analysis_id") | {
            "training_id": self._trainings[row["training_id"]],
            "run_id": self._runs[row["run_id"]],
        }
        key = insert_row(self._target, Analysis, new)
        self._added["analyses"] += 1
        rows = [without(item, "quantity_id") | {"analysis_id": key} for item in quantities]
        insert_missing(self._target, Quantity, rows)

    def _merge_failures(self) -> None:
        columns = (Failure.run_id, Failure.identity, Failure.failed_at)
        known = {tuple(row) for row in self._target.execute(select(*columns))}
        for row in rows_of(self._source, Failure):
            run_id = self._runs[row["run_id"]]
            if (run_id, row["identity"], row["failed_at"]) not in known:
                new = without(row, "failure_id") | {"run_id": run_id}
                insert_row(self._target, Failure, new)
                self._added["failures"] += 1

    def _merge_notes(self) -> None:
        columns = (Note.run_id, Note.training_identity, Note.kind, Note.note, Note.noted_at)
        known = {tuple(row) for row in self._target.execute(select(*columns))}
        names = [column.key for column in columns]
        for row in with_keys(rows_of(self._source, Note), "run_id", self._runs):
            if tuple(row[name] for name in names) not in known:
                insert_row(self._target, Note, without(row, "note_id"))
                self._added["notes"] += 1


def _require_true_identity(kind: str, row: Row) -> None:
    if digest_of(row["specification"]) != row["identity"]:
        raise StoreError(
            f"{kind} {row['identity'][:12]} of the source is damaged: its identity is not the hash "
            "of its specification; nothing was merged",
            hint="`hfcbench db check` on the source shows everything that is wrong with it",
        )
