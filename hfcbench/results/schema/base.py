"""What all tables share: names of constraints, and types of columns."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, CheckConstraint, Double, LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, mapped_column

from hfcbench.results.column_types import CanonicalJSON, UTCDateTime

Key = Annotated[int, mapped_column(primary_key=True)]
Large = Annotated[int, mapped_column(BigInteger)]
JSONText = Annotated[Any, mapped_column(CanonicalJSON)]
Blob = Annotated[bytes, mapped_column(LargeBinary)]

_STATES = "state IN ('finite', 'nan', 'infinity', '-infinity')"
_VALUE = "(state = 'finite') = (value IS NOT NULL)"


class Base(DeclarativeBase):
    """All tables; constraints have names, so that revisions can change them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {str: Text, float: Double, datetime: UTCDateTime}  # noqa: RUF012


def measured_number() -> tuple[CheckConstraint, CheckConstraint]:
    """``state`` tells finite values from NaN and the infinities, whose ``value`` is NULL."""
    return CheckConstraint(_STATES, name="state"), CheckConstraint(_VALUE, name="value")
