"""Finding a training, an evaluation or an analysis by the beginning of its identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlalchemy import Connection, func, select

from hfcbench.errors import UsageError
from hfcbench.results.schema import Analysis, Evaluation, Training

Kind: TypeAlias = Literal["training", "evaluation", "analysis"]

_FEWEST = 4
_DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Found:
    """What an identity is of."""

    kind: Kind
    identity: str
    key: int


def find_identity(connection: Connection, beginning: str) -> Found:
    """The training, evaluation or analysis whose identity begins so.

    Raises:
        UsageError: there is none, or several, or the text is no beginning of an identity.
    """
    text = beginning.lower()
    if len(text) < _FEWEST or not _DIGITS.issuperset(text):
        raise UsageError(
            f"'{beginning}' is no id: give at least {_FEWEST} digits (0-9, a-f) of one, as "
            "`hfcbench leaderboard` shows them"
        )
    found: list[Found] = []
    for kind, identity, key in (
        ("training", Training.identity, Training.training_id),
        ("evaluation", Evaluation.identity, Evaluation.evaluation_id),
        ("analysis", Analysis.identity, Analysis.analysis_id),
    ):
        # A range, not a pattern: the index on identities answers it.
        statement = select(identity, key).where(identity >= text, identity < text + "g").limit(3)
        found.extend(Found(kind, row[0], row[1]) for row in connection.execute(statement))  # type: ignore[arg-type]
    if not found:
        count = connection.scalar(select(func.count()).select_from(Training)) or 0
        raise UsageError(
            f"no training, evaluation or analysis has an id that begins with {beginning} "
            f"(there are {count} trainings)"
        )
    if len(found) > 1:
        some = ", ".join(f"{item.kind} {item.identity[:16]}" for item in found)
        raise UsageError(f"several ids begin with {beginning}: {some}; give more digits")
    return found[0]
