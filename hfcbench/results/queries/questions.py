"""What can be asked of a results database; :class:`hfcbench.results.store.Store` answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Unpack

from hfcbench.results.queries.answers import read_answers
from hfcbench.results.queries.detection_questions import DetectionQuestions
from hfcbench.results.queries.frames import ROW_LIMIT, curves_frame, evaluations_frame
from hfcbench.results.queries.images import (
    disagreements_frame,
    intervals_frame,
    predictions_frame,
)
from hfcbench.results.queries.robustness_questions import RobustnessQuestions
from hfcbench.results.queries.where import (
    OF_ROWS,
    OF_TRAININGS,
    Filter,
    Filters,
    RowFilters,
    TrainingFilters,
    combined,
)
from hfcbench.results.statistics import Answers
from hfcbench.results.writing.stored_predictions import read_predictions
from hfcbench.types import Predictions

if TYPE_CHECKING:
    import pandas as pd

    from hfcbench.results.queries.leaderboard import Leaderboard
    from hfcbench.results.queries.provenance import Provenance


class Questions(RobustnessQuestions, DetectionQuestions):
    """Answers as pandas frames. All take filters, as keywords or as one that was combined.

    Filters as keywords are the fields of :class:`~hfcbench.results.queries.where.Where`; ``where``
    takes any combination of those with ``&``, ``|`` and ``~``.
    """

    def leaderboard(
        self,
        *,
        metric: str | None = None,
        sort: str = "original",
        group: str | None = None,
        limit: int | None = 100,
        columns: Literal["all", "main"] = "all",
        cutoff: float | None = None,
        epsilon: float | None = None,
        rank_intervals: bool = False,
        intervals: bool = False,
        where: Filter | None = None,
        **filters: Unpack[RowFilters],
    ) -> Leaderboard:
        """Ranked rows: one per training x defence, and per dataset split and number of images.

        Columns of the frame: ``rank``; what decides which rows compare
        (:data:`~hfcbench.results.queries.naming.SECTION`: dataset, fingerprint (12 digits), scale,
        split, procedure of evaluation, number of images n); model, heuristics, trained_on, defence,
        seed, epochs; ``original`` with its 95% interval ``original_low``, ``original_high``; one
        per component (``lfc@4``, ..., ``hfc@4``, ...); one per attack and epsilon (``fgsm@0.03``);
        ``robust``, the worst of those on originals, known for models that faced all that those
        they compare with did, and ``n_attacked``, the number of images that were attacked;
        ``flags``, which of the shown scores under attack are in doubt and why (such scores decide
        no rank); versions; the training's identity.

        A column holds one condition: where components were cut in several ways, its name says
        which (``lfc@8 [svd, none]``), and so it does where attacks were searched for in several
        (``pgd@0.06 [full]``). Ranks hold among rows that compare, and start from 1 in each
        such section. When the column to sort by is over attacked images, ``n_attacked`` must agree
        as well. NaN and infinite scores are shown as they are and have no rank.

        Args:
            metric: the metric in all columns, in its newest version; by default what ranks models
                for the task in question (``top1``; ``map`` for detection), the first one of
                :meth:`headline_metrics` where there are several.
            sort: a column, best first; ``-COLUMN`` for the reverse.
            group: show means over the rows that share this, one of
                :data:`~hfcbench.results.queries.naming.GROUPS`; ``configuration`` means over
                seeds. ``NAME sd`` then is the standard deviation, ``rows`` the number of rows, and
                the interval of the original is Student's t interval of the mean.
            limit: how many rows of each section to show; None for all.
            columns: ``main`` shows one way of cutting at one cutoff, and attacks at one epsilon.
            cutoff: show components of this radius or rank only; by default all, or the middle one.
            epsilon: show attacks of this strength only; by default all, or the smallest.
            rank_intervals: add ``rank_low`` and ``rank_high``: between which ranks a row lies with
                95% confidence had other images been drawn (a paired bootstrap over images).
            intervals: add ``NAME_low`` and ``NAME_high`` behind each column of scores: its 95%
                interval; that of ``robust`` is the interval of the attack that decides it.
            where: which results it is about; fields of attacks and components are not taken.
            filters: the same as keyword arguments; see
                :class:`~hfcbench.results.queries.where.Where`.

        Raises:
            UsageError: there is no such metric, no such column to sort or group by, or intervals
                are asked for of a group's means.
        """
        from hfcbench.results.queries.leaderboard import Question, leaderboard

        chosen = combined(where, filters, OF_ROWS)
        question = Question(
            *(metric, sort, group, limit, columns, cutoff, epsilon, rank_intervals, intervals)
        )
        with self._reading() as connection:
            return leaderboard(connection, question, chosen)

    def headline_metrics(
        self, *, where: Filter | None = None, **filters: Unpack[RowFilters]
    ) -> tuple[str, ...]:
        """The metrics that rank models, one for each task of the datasets in question.

        A leaderboard has one metric, so that a database for several tasks has several leaderboards.
        """
        from hfcbench.results.queries.headlines import headlines_where

        chosen = combined(where, filters, OF_ROWS)
        with self._reading() as connection:
            return tuple(headlines_where(connection, chosen.clause()))

    def evaluations(
        self,
        *,
        metric: str | None = None,
        flagged: bool | None = None,
        limit: int | None = ROW_LIMIT,
        where: Filter | None = None,
        **filters: Unpack[Filters],
    ) -> pd.DataFrame:
        """One row per score: training, condition, metric, value, 95% interval, n and flags.

        ``flags`` names what casts doubt on a score under attack, as in the leaderboard: measured
        beside it, or found by holding it against other scores of its model.

        Args:
            flagged: only scores with flags, or only those without.

        Raises:
            UsageError: there are more rows than ``limit``, before those were chosen.
        """
        chosen = combined(where, filters, None)
        with self._reading() as connection:
            return evaluations_frame(connection, chosen, metric, limit, flagged)

    def curves(
        self,
        *,
        metric: str | None = None,
        split: str | None = None,
        component: str | None = None,
        limit: int | None = ROW_LIMIT,
        where: Filter | None = None,
        **filters: Unpack[TrainingFilters],
    ) -> pd.DataFrame:
        """One row per point of the training curves; filters about trainings only.

        Raises:
            UsageError: there are more rows than ``limit``.
        """
        chosen = combined(where, filters, OF_TRAININGS)
        with self._reading() as connection:
            return curves_frame(connection, chosen, metric, split, component, limit)

    def training_frame(
        self, *, where: Filter | None = None, **filters: Unpack[TrainingFilters]
    ) -> pd.DataFrame:
        """One row per finished training: identity, dataset, model, heuristics, seed, epochs."""
        from hfcbench.results.queries.training_rows import training_rows

        chosen = combined(where, filters, OF_TRAININGS)
        with self._reading() as connection:
            return training_rows(connection, chosen)

    def components_against_original(
        self,
        *,
        metric: str | None = None,
        parts: Sequence[str] = ("lfc", "hfc"),
        cutoff: float | None = None,
        pivot: bool = False,
        where: Filter | None = None,
        **filters: Unpack[RowFilters],
    ) -> pd.DataFrame:
        """How much of each model's score is left on its components, over the same images.

        Tidy: one row per model and component with ``original``, ``value`` and ``gap`` = original -
        value. Pivoted: one row per model and way of cutting, a column per component.

        Args:
            metric: by default the first of :meth:`headline_metrics`.
        """
        from hfcbench.results.queries.headlines import headlines_where
        from hfcbench.results.queries.studies import against_original

        chosen = combined(where, filters, OF_ROWS)
        with self._reading() as connection:
            name = metric or next(iter(headlines_where(connection, chosen.clause())))
            return against_original(
                connection, chosen, metric=name, parts=parts, cutoff=cutoff, pivot=pivot
            )

    def predictions(self, identity: str) -> Predictions:
        """The per-image predictions of an evaluation, exactly as they were stored.

        Raises:
            StoreError: there is no such evaluation, or it holds detections.
        """
        with self._reading() as connection:
            return read_predictions(connection, identity)

    def answers(self, identities: Sequence[str]) -> dict[str, Answers]:
        """Which images these evaluations answered rightly, by identity.

        Evaluations whose predictions are not stored are left out.
        """
        with self._reading() as connection:
            return read_answers(connection, identities)

    def prediction_frame(self, identity: str) -> pd.DataFrame:
        """One row per image of an evaluation: label, predicted, correct, confidence, loss."""
        with self._reading() as connection:
            return predictions_frame(connection, identity)

    def intervals(self, identity: str) -> pd.DataFrame:
        """Wilson's and bootstrap 95% intervals of an evaluation, from its stored predictions."""
        with self._reading() as connection:
            return intervals_frame(connection, identity)

    def disagreements(self, first: str, second: str) -> pd.DataFrame:
        """The images that two evaluations of the same images put into different classes.

        Raises:
            UsageError: the two are not of the same images.
        """
        with self._reading() as connection:
            return disagreements_frame(connection, first, second)

    def compare(self, identities: Sequence[str], *, correction: str = "holm") -> pd.DataFrame:
        """Compare rows image by image: McNemar's test and a paired bootstrap of the difference.

        One row per pair of evaluations; of trainings, one per pair and condition that both were
        evaluated under on the same images. ``difference`` is the accuracy of the first minus that
        of the second, ``low`` to ``high`` its 95% interval, ``p_adjusted`` the p value after a
        correction for the number of rows.

        Of detectors the columns are ``map_first``, ``map_second`` and their ``difference`` with the
        interval of a paired bootstrap over pictures; there is no p value to correct.

        Args:
            identities: of evaluations, or of trainings, or enough digits of theirs.
            correction: one of :data:`hfcbench.results.statistics.METHODS`.

        Raises:
            UsageError: an id is unknown or ambiguous, or the rows are not of the same images.
        """
        from hfcbench.results.queries.comparing import comparison_frame

        with self._reading() as connection:
            return comparison_frame(connection, identities, correction)

    def provenance(self, identity: str) -> Provenance:
        """Where a training, an evaluation or an analysis comes from, by enough of its identity.

        Raises:
            UsageError: there is none, or several.
        """
        from hfcbench.results.queries.provenance import provenance_of

        with self._reading() as connection:
            return provenance_of(connection, identity)
