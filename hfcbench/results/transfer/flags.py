"""Whether flags of robust scores are what their checks measured."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, and_, or_, select

from hfcbench.results.schema import Condition, Evaluation, ReliabilityCheck
from hfcbench.results.transfer.problems import Problem
from hfcbench.results.writing.conditions import NO_ATTACK


def reliability_problems(connection: Connection) -> Iterator[Problem]:
    """Flags that were set or taken away, and checks of what was not attacked."""
    check = ReliabilityCheck
    above = and_(check.threshold.is_not(None), check.value > check.threshold)
    statement = (
        select(Evaluation.identity, check.name, check.flagged, above, Condition.attack)
        .join_from(check, Evaluation, Evaluation.evaluation_id == check.evaluation_id)
        .join(Condition, Condition.condition_id == Evaluation.condition_id)
        .where(or_(check.flagged != above, Condition.attack == NO_ATTACK))
        .order_by(Evaluation.evaluation_id, check.name)
    )
    for identity, name, flagged, wanted, attack in connection.execute(statement):
        where = f"check {name} of evaluation {identity[:12]}"
        if attack == NO_ATTACK:
            yield Problem(where, "its evaluation is not under attack")
        elif flagged != bool(wanted):
            said = "flagged" if flagged else "not flagged"
            yield Problem(where, f"it is {said}, and its value and threshold say otherwise")
