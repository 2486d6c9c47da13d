"""Checking statements against studies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.reports.claims.estimates import (
    Effect,
    Estimate,
    Verdict,
    combined,
    deciding,
)
from hfcbench.reports.claims.sample import MissingRowsError, Sample
from hfcbench.reports.claims.statements import Statement
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Finding:
    """What a study says about a statement, for one dataset and model.

    Attributes:
        model: ``all`` where models are compared with each other.
        effects: empty where the statement was not run.
        command: what would run it.
    """

    statement: Statement
    dataset: str
    model: str
    scale: str
    effects: tuple[Effect, ...]
    command: str

    @property
    def verdict(self) -> Verdict:
        """From the numbers alone."""
        return "not run" if self.deciding is None else self.deciding.verdict

    @property
    def deciding(self) -> Effect | None:
        """The effect that the verdict hangs on: the one that speaks least for the statement.

        Where one effect is enough, it is the one that speaks most for it.
        """
        if not self.effects:
            return None
        return deciding(self.effects, any_of=self.statement.any_of)


def check_statement(statement: Statement, study: Study) -> list[Finding]:
    """One finding per dataset, and per model unless the statement compares models."""
    findings = []
    for dataset, model in _groups(statement, study):
        effects = _effects(statement, study, dataset, model)
        findings.append(
            Finding(statement, dataset, model or "all", study.scale, effects, study.command)
        )
    return findings


def not_run(statement: Statement, scale: str, command: str) -> Finding:
    """The finding where the database knows nothing of the suite's dataset."""
    return Finding(statement, "-", "-", scale, (), command)


def _groups(statement: Statement, study: Study) -> Iterator[tuple[str, str | None]]:
    columns = ["dataset"] if statement.across_models else ["dataset", "model"]
    for row in study.trainings[columns].drop_duplicates().itertuples(index=False):
        yield str(row[0]), None if statement.across_models else str(row[1])


def _effects(
    statement: Statement, study: Study, dataset: str, model: str | None
) -> tuple[Effect, ...]:
    """Of the seeds that have all that is needed; none if there are no such seeds."""
    by_comparison: dict[str, list[Estimate]] = {}
    unlearned: dict[str, list[str]] = {}
    for seed in sorted(set(study.trainings["seed"])):
        try:
            found = list(_compared(statement, _sample(study, dataset, model, int(seed))))
        except MissingRowsError:
            continue
        for of, estimate, at_chance in found:
            by_comparison.setdefault(of, []).append(estimate)
            unlearned.setdefault(of, []).extend(at_chance)
    return tuple(
        combined(
            of,
            estimates,
            len(by_comparison),
            statement.within,
            tuple(dict.fromkeys(unlearned[of])),
        )
        for of, estimates in by_comparison.items()
    )


def _compared(
    statement: Statement, sample: Sample
) -> Iterator[tuple[str, Estimate, tuple[str, ...]]]:
    """Each effect of a seed, with the trainings behind it that have learned nothing."""
    sample.read.clear()
    for of, estimate in statement.compare(sample):
        yield of, estimate, sample.unlearned()
        sample.read.clear()


def _sample(study: Study, dataset: str, model: str | None, seed: int) -> Sample:
    def rows(frame: pd.DataFrame) -> pd.DataFrame:
        chosen = frame["dataset"] == dataset
        if model is not None:
            chosen &= frame["model"] == model
        if "metric" in frame:
            chosen &= frame["metric"] == "top1"
        return frame[chosen]

    def of_seed(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["seed"] == seed]

    scores = rows(study.scores)
    return Sample(
        of_seed(rows(study.trainings)),
        of_seed(rows(study.curves)),
        of_seed(scores),
        [
            item
            for item in study.quantities
            if (item.dataset, item.seed) == (dataset, seed) and model in (None, item.model)
        ],
        all_seeds=scores,
        attacks=study.attacks,
        answers=study.answers,
        classes=len(study.classes.get(dataset, ())),
    )
