"""Second results of known identities, kept whole beside the first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection

from hfcbench.results.column_types import digest_of
from hfcbench.results.schema import Analysis, Disagreement, Evaluation, Training
from hfcbench.results.transfer.contents import (
    analysis_content,
    evaluation_content,
    training_content,
)
from hfcbench.results.transfer.differences import plain
from hfcbench.results.transfer.plain_rows import (
    Row,
    parts_of_evaluations,
    parts_of_training,
    quantities_of,
    rows_of,
    without,
)
from hfcbench.results.writing.rows import insert_missing


class Disagreements:
    """What a merge finds to differ, and what its source had found before.

    Args:
        runs: the target's key of each run of the source.
        summaries: gets a line per result that differs.
    """

    def __init__(
        self,
        source: Connection,
        target: Connection,
        runs: Mapping[int, int],
        summaries: list[str],
    ) -> None:
        self._source = source
        self._target = target
        self._runs = runs
        self._summaries = summaries

    def add(self, kind: str, row: Row, content: Row, summary: str) -> None:
        """Keep the other result of an identity that the target knows."""
        document = plain(content)
        digest = digest_of(document)
        place = f"{kind} {row['identity'][:12]}"
        self._summaries.append(f"{place}: {summary}")
        insert_missing(
            self._target,
            Disagreement,
            [
                {
                    "identity": row["identity"],
                    "kind": kind,
                    "run_id": self._runs[row["run_id"]],
                    "found_at": datetime.now(UTC),
                    "summary": summary,
                    "digest": digest,
                    "content": document,
                }
            ],
        )

    def merge(self) -> None:
        """Take over what the source had found, but for what the target itself holds."""
        rows = [
            without(row, "disagreement_id") | {"run_id": self._runs[row["run_id"]]}
            for row in rows_of(self._source, Disagreement)
            if row["digest"] not in self._own_digests(row["identity"])
        ]
        insert_missing(self._target, Disagreement, rows)

    def _own_digests(self, identity: str) -> set[str]:
        """What the target's own result would be as a disagreement elsewhere."""
        contents = []
        for row in rows_of(self._target, Training, Training.identity == identity):
            parts = parts_of_training(self._target, row["training_id"])
            contents.append(training_content(self._target, row, parts))
        for row in rows_of(self._target, Evaluation, Evaluation.identity == identity):
            key = row["evaluation_id"]
            own = parts_of_evaluations(self._target, [key])[key]
            contents.append(evaluation_content(self._target, row, own))
        for row in rows_of(self._target, Analysis, Analysis.identity == identity):
            found = quantities_of(self._target, row["analysis_id"])
            contents.append(analysis_content(self._target, row, found))
        return {digest_of(plain(content)) for content in contents}
