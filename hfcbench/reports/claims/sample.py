"""One seed's results of a study, with names for what claims compare."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.references import parse_label
from hfcbench.reports.claims.estimates import Estimate, answered, measured, proportion
from hfcbench.reports.study import ReadAnswers, StudiedQuantity, nothing_known

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
        answers: as there.
    """

    trainings: pd.DataFrame
    curves: pd.DataFrame
    scores: pd.DataFrame
    quantities: Sequence[StudiedQuantity]
    answers: ReadAnswers = nothing_known

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
        rows = self._of(self.curves, heuristics, trained_on, model)
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
        rows = self._of(self.scores, heuristics, trained_on, model)
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

    def quantity(
        self, name: str, heuristics: str = VANILLA, *, analysis: str, defence: str = "none"
    ) -> Estimate:
        """A single number of an analysis, which is named by its label.

        Raises:
            MissingRowsError: it was not measured.
        """
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

    @staticmethod
    def _of(
        frame: pd.DataFrame, heuristics: str, trained_on: str, model: str | None
    ) -> pd.DataFrame:
        rows = frame[(frame["heuristics"] == heuristics) & (frame["trained_on"] == trained_on)]
        return rows if model is None else rows[rows["model"] == model]


def _components(frame: pd.DataFrame, part: str) -> list[str]:
    rows = frame[frame["part"] == part].sort_values("cutoff")
    found: Iterable[str] = dict.fromkeys(rows["component"])
    if rows.empty:
        raise MissingRowsError
    return list(found)
