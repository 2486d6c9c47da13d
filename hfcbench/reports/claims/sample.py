"""One seed's results of a study, with names for what claims compare."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hfcbench.references import parse_label
from hfcbench.reports.claims.estimates import Estimate, answered, measured, proportion
from hfcbench.reports.study import ReadAnswers, StudiedQuantity
from hfcbench.reports.worst_cases import Ball, ball_of, robust_answers
from hfcbench.results.statistics import wilson

if TYPE_CHECKING:
    import pandas as pd

VANILLA = "vanilla"
_SAME_EPSILON = 1e-9


class MissingRowsError(Exception):
    """A claim needs rows that the database does not have."""


@dataclass(frozen=True)
class Sample:
    """The results of one dataset, model (or all of them) and seed.

    Attributes:
        curves, scores: as in :class:`hfcbench.reports.study.Study`, accuracies only.
        all_seeds: scores of every seed.
        attacks, answers: as there.
        classes: how many the dataset has; 0 where that is not known.
        read: the trainings that results were asked for of: heuristics, trained on, and model
            (None of a sample of one).
    """

    trainings: pd.DataFrame
    curves: pd.DataFrame
    scores: pd.DataFrame
    quantities: Sequence[StudiedQuantity]
    all_seeds: pd.DataFrame
    attacks: Sequence[tuple[str, float]]
    answers: ReadAnswers
    classes: int = 0
    read: set[tuple[str, str, str | None]] = field(default_factory=set)

    def unlearned(self) -> tuple[str, ...]:
        """Of the trainings in ``read``, those that have learned nothing, named for people.

        In the end they are not better than chance on training images of the component that they
        were trained on: the lower end of Wilson's 95% interval is not above it. What was never
        measured on training images counts as learned.
        """
        return tuple(
            " ".join(filter(None, (model, heuristics, "" if on == "original" else f"on {on}")))
            for heuristics, on, model in sorted(self.read, key=str)
            if self._is_at_chance(heuristics, on, model)
        )

    def _is_at_chance(self, heuristics: str, trained_on: str, model: str | None) -> bool:
        rows = _of(self.curves, heuristics, trained_on, model)
        rows = rows[(rows["split"] == "train") & (rows["component"] == trained_on)]
        if rows.empty or not self.classes:
            return False
        last = rows.nlargest(1, "epoch").iloc[0]
        right = round(float(last["value"]) * int(last["n"]))
        return wilson(right, int(last["n"])).low <= 1 / self.classes

    def heuristics(self, beginning: str) -> list[str]:
        """The labels of finished trainings that begin so, e.g. ``optimizer:``.

        Raises:
            MissingRowsError: there are none.
        """
        done = self.trainings[self.trainings["done"]]
        found = sorted({label for label in done["heuristics"] if label.startswith(beginning)})
        if not found:
            raise MissingRowsError
        return found

    def planned(self, column: str) -> list[str]:
        """The distinct values of all trainings that the suite has.

        Raises:
            MissingRowsError: one of those trainings has not been run.
        """
        if not self.trainings["done"].all():
            raise MissingRowsError
        return list(dict.fromkeys(self.trainings[column]))

    def curve(
        self,
        split: str,
        component: str,
        heuristics: str = VANILLA,
        *,
        trained_on: str = "original",
        model: str | None = None,
        epoch: int | None = None,
    ) -> Estimate:
        """Accuracy after an epoch, or after the last.

        Raises:
            MissingRowsError: it was not measured.
        """
        rows = self._rows(self.curves, heuristics, trained_on, model)
        rows = rows[(rows["split"] == split) & (rows["component"] == component)]
        if epoch is not None:
            rows = rows[rows["epoch"] == epoch]
        if rows.empty:
            raise MissingRowsError
        last = rows.nlargest(1, "epoch")
        return proportion(float(last["value"].iloc[0]), int(last["n"].iloc[0]))

    def gap(self, heuristics: str = VANILLA, *, model: str | None = None) -> Estimate:
        """How much better the training images are known than the test images, in the end."""
        return self.curve("train", "original", heuristics, model=model) - self.curve(
            "test", "original", heuristics, model=model
        )

    def score(
        self,
        heuristics: str = VANILLA,
        component: str = "original",
        *,
        trained_on: str = "original",
        model: str | None = None,
        defence: str = "none",
        attack: str = "none",
        epsilon: float | None = None,
    ) -> Estimate:
        """Test accuracy under a condition, image by image where that is known.

        Args:
            attack: without parameters.

        Raises:
            MissingRowsError: it was not evaluated.
        """
        rows = self._rows(self.scores, heuristics, trained_on, model)
        attacks = rows["attack"].map(lambda label: parse_label(label)[0])
        rows = rows[
            (rows["component"] == component) & (rows["defence"] == defence) & (attacks == attack)
        ]
        if epsilon is not None:
            rows = rows.loc[(rows["epsilon"] - epsilon).abs() < _SAME_EPSILON]
        if rows.empty:
            raise MissingRowsError
        row = rows.iloc[0]
        found = self.answers([row["evaluation"]])
        if row["evaluation"] in found:
            return answered(found[row["evaluation"]])
        return proportion(float(row["value"]), int(row["n"]))

    def ball(self, epsilon: float) -> Ball:
        """The suite's attacks of this epsilon and of smaller ones.

        Raises:
            MissingRowsError: it has none of this epsilon.
        """
        found = ball_of(self.attacks, epsilon)
        if found is None:
            raise MissingRowsError
        return found

    def robust(self, within: Ball, heuristics: str, *, model: str) -> Estimate:
        """The share of test images that are right when clean and under every attack in a ball.

        Raises:
            MissingRowsError: not all of it was evaluated, or single answers are not stored.
        """
        rows = _plain(self._rows(self.scores, heuristics, "original", model))
        found = robust_answers(rows, within, self.answers)
        if found is None:
            raise MissingRowsError
        return answered(found)

    def most_accurate(self) -> tuple[str, str]:
        """Model and heuristics with the best clean test accuracy, mean over all seeds.

        Raises:
            MissingRowsError: there are no such scores.
        """
        rows = _plain(self.all_seeds)
        rows = rows[(rows["attack"] == "none") & (rows["trained_on"] == "original")]
        if rows.empty:
            raise MissingRowsError
        best: Any = rows.groupby(["model", "heuristics"])["value"].mean().idxmax()
        return str(best[0]), str(best[1])

    def quantity(
        self, name: str, heuristics: str = VANILLA, *, analysis: str, defence: str = "none"
    ) -> Estimate:
        """A single number of an analysis, which is named by its label.

        Raises:
            MissingRowsError: it was not measured.
        """
        self.read.add((heuristics, "original", None))
        for item in self.quantities:
            quantity = item.quantity
            same = (item.heuristics, item.defence, quantity.name) == (heuristics, defence, name)
            if same and parse_label(item.analysis) == parse_label(analysis):
                if quantity.low is None or quantity.high is None:
                    return Estimate(float(quantity.values), math.nan)
                return measured(float(quantity.values), float(quantity.low), float(quantity.high))
        raise MissingRowsError

    def cutoffs(self, part: str) -> list[str]:
        """Components of one part that curves were measured of, by their cutoffs.

        Raises:
            MissingRowsError: there are none.
        """
        return _components(self.curves, part)

    def _rows(
        self, frame: pd.DataFrame, heuristics: str, trained_on: str, model: str | None
    ) -> pd.DataFrame:
        self.read.add((heuristics, trained_on, model))
        return _of(frame, heuristics, trained_on, model)


def _of(frame: pd.DataFrame, heuristics: str, trained_on: str, model: str | None) -> pd.DataFrame:
    rows = frame[(frame["heuristics"] == heuristics) & (frame["trained_on"] == trained_on)]
    return rows if model is None else rows[rows["model"] == model]


def _plain(scores: pd.DataFrame) -> pd.DataFrame:
    """Those of models without a defence on originals."""
    return scores[(scores["component"] == "original") & (scores["defence"] == "none")]


def _components(frame: pd.DataFrame, part: str) -> list[str]:
    rows = frame[frame["part"] == part].sort_values("cutoff")
    found: Iterable[str] = dict.fromkeys(rows["component"])
    if rows.empty:
        raise MissingRowsError
    return list(found)
