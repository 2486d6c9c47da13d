"""Comparing detectors picture by picture, from their stored detections."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from hfcbench.detection_types import Detections
from hfcbench.results.queries.naming import HEADLINES
from hfcbench.results.writing.stored_detections import read_detections


class ComparedDetections:
    """Compares pairs of evaluations; each is read, matched and resampled once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, Detections] = {}

    def __call__(self, first: str, second: str) -> dict[str, Any]:
        """Mean average precision of both and their difference, with a paired bootstrap's interval.

        There is no p value: McNemar's test is of answers that are right or wrong.

        Raises:
            UsageError: the two are not of the same pictures.
        """
        from hfcbench.detection import paired_difference, scores

        metric = HEADLINES["detection"]
        one, other = self._read(first), self._read(second)
        found = paired_difference(metric, one, other)
        return {
            "n": found.n,
            "map_first": scores(one, metric).total.value,
            "map_second": scores(other, metric).total.value,
            "difference": found.value,
            "low": found.low,
            "high": found.high,
        }

    def _read(self, identity: str) -> Detections:
        if identity not in self._known:
            self._known[identity] = read_detections(self._connection, identity)
        return self._known[identity]
