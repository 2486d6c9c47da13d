"""What can be asked of a results database about detectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from hfcbench.detection_types import Detections
from hfcbench.results.queries.asking import Asking
from hfcbench.results.queries.where import OF_ROWS, Filter, Filters, RowFilters, combined
from hfcbench.results.writing.stored_detections import read_detections

if TYPE_CHECKING:
    import pandas as pd

    from hfcbench.results.queries.picture_gains import PictureGains


class DetectionQuestions(Asking):
    """The part of :class:`hfcbench.results.queries.questions.Questions` about detectors."""

    def detections(self, identity: str) -> Detections:
        """What a detector found in each picture of an evaluation, exactly as it was stored.

        Raises:
            StoreError: there is no such evaluation, or it holds predictions of classes.
        """
        with self._reading() as connection:
            return read_detections(connection, identity)

    def class_scores(
        self, *, where: Filter | None = None, **filters: Unpack[Filters]
    ) -> pd.DataFrame:
        """One row per score of a class: evaluation, condition, metric, class, value, interval, n.

        ``n`` counts the objects of the class.
        """
        from hfcbench.results.queries.training_rows import class_score_rows

        chosen = combined(where, filters, None)
        with self._reading() as connection:
            return class_score_rows(connection, chosen)

    def picture_gains(
        self,
        *,
        metric: str = "map",
        parts: Sequence[str] = ("lfc", "hfc"),
        cutoff: float | None = None,
        largest: int | None = 10,
        where: Filter | None = None,
        **filters: Unpack[RowFilters],
    ) -> PictureGains:
        """In which pictures detectors score better on a component than on the original.

        ``frame`` has a row per training, defence and component that was seen on the same pictures
        as its original: ``n`` pictures; ``pictures``, how many of them have a score on both (those
        with objects, of the size that the metric is about); ``gains``, ``drops`` and ``equal``, how
        many score better, worse and as well on the component (differences up to 1e-9 are none);
        ``original``, ``value`` and ``difference``, means over the pictures that score. The mean of
        pictures' scores is not the score over all pictures, which the leaderboard shows.

        ``pictures`` has the pictures with the largest gains and drops of each of these rows, with
        ``change`` (``gain`` or ``drop``), ``rank`` from 1 and the picture's name and size.

        Args:
            metric: one that is kept for single pictures, such as ``map`` or ``map-small``.
            parts: the parts that are held against the original.
            cutoff: components of this radius or rank only.
            largest: how many gains and how many drops of each row to name; None for all.

        Raises:
            UsageError: there is no such metric, or it is not kept for single pictures.
        """
        from hfcbench.results.queries.picture_gains import picture_gains

        chosen = combined(where, filters, OF_ROWS)
        with self._reading() as connection:
            return picture_gains(
                connection, chosen, metric=metric, parts=parts, cutoff=cutoff, largest=largest
            )
