"""How Python values lie in columns: UTC times, canonical JSON, numbers that may be NaN."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import DateTime, Dialect, Double, Text, TypeDecorator

from hfcbench.errors import StoreError
from hfcbench.types import JSON

State: TypeAlias = Literal["finite", "nan", "infinity", "-infinity"]

_NOT_FINITE = {"nan": math.nan, "infinity": math.inf, "-infinity": -math.inf}


def canonical_text(value: Mapping[str, JSON] | Sequence[JSON]) -> str:
    """JSON as one text per value: sorted keys, no spaces, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest_of(value: Mapping[str, JSON]) -> str:
    """The sha256 of a value's canonical text, in hexadecimal."""
    return hashlib.sha256(canonical_text(value).encode()).hexdigest()


class UTCDateTime(TypeDecorator[datetime]):
    """A moment, stored in UTC; SQLite keeps it as text without a zone.

    Raises:
        StoreError: a datetime without a time zone is to be stored: nobody can tell when it was.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.utcoffset() is None:
            raise StoreError(f"the time {value.isoformat()} has no time zone; give it in UTC")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class CanonicalJSON(TypeDecorator[Any]):
    """JSON as one text per value: sorted keys, no spaces, no NaN.

    The sha256 of a stored specification's text is therefore its identity.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(
        self, value: Mapping[str, JSON] | Sequence[JSON] | None, dialect: Dialect
    ) -> str | None:
        if value is None:
            return None
        return canonical_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        try:
            return None if value is None else json.loads(value)
        except ValueError as error:
            raise StoreError(f"stored JSON is damaged: {error}") from error


class Bound(TypeDecorator[float]):
    """An end of an interval: NaN is stored as NULL and comes back as NaN."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        return None if value is None or math.isnan(value) else float(value)

    def process_result_value(self, value: float | None, dialect: Dialect) -> float:
        return math.nan if value is None else value


def state_of(value: float) -> State:
    """What kind of number a measured value is."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    return "finite"


def stored_value(value: float) -> dict[str, float | str | None]:
    """The columns ``value`` and ``state``: NULL unless finite, so that SQL never ranks the rest."""
    state = state_of(value)
    return {"value": float(value) if state == "finite" else None, "state": state}


def measured_value(value: float | None, state: str) -> float:
    """The number that :func:`stored_value` took apart; a missing one may also be given as NaN."""
    return _NOT_FINITE[state] if value is None or state != "finite" else float(value)
