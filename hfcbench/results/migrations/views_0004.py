"""The views of revision 0004, for SQLite and PostgreSQL alike; a later change gets its own module.

As in revision 0002, and besides: ``results`` and ``robustness`` say how the images of an attack
were searched for (``attack_norm``, ``criterion``, ``attack_mode``, ``attack_precision``,
``smaller_epsilons``) and how many signs of doubt there are about the score (``flags``, see table
``reliability_checks``; contradictions between rows are not among them);
``leaderboard`` counts those of all attacks that ``robust`` is the worst of. A robust score with
flags is not to be ranked.
"""

from hfcbench.results.migrations import views_0002

_SEARCH = (
    "conditions.attack_norm, conditions.criterion, conditions.attack_mode, "
    "conditions.attack_precision, conditions.smaller_epsilons"
)
_FLAGS = """
(SELECT COUNT(*) FROM reliability_checks
 WHERE reliability_checks.evaluation_id = scores.evaluation_id AND reliability_checks.flagged)
"""


def _changed(statement: str, *changes: tuple[str, str]) -> str:
    """A statement with pieces replaced, each of which must be there exactly once."""
    for before, after in changes:
        if statement.count(before) != 1:
            raise ValueError(f"'{before}' is not there once")
        statement = statement.replace(before, after)
    return statement


RESULTS = _changed(
    views_0002.RESULTS,
    (
        "conditions.attack, conditions.epsilon,",
        f"conditions.attack, conditions.epsilon, {_SEARCH}, {_FLAGS} AS flags,",
    ),
)
ROBUSTNESS = _changed(
    views_0002.ROBUSTNESS,
    (
        "conditions.attack, conditions.attack_version, conditions.epsilon,",
        "conditions.attack, conditions.attack_version, conditions.epsilon, "
        f"{_SEARCH}, {_FLAGS} AS flags,",
    ),
    (
        "top1.attack, top1.epsilon, top1.component,\n       top1.decomposition,",
        "top1.attack, top1.epsilon, top1.component,\n"
        "       top1.attack_norm, top1.criterion, top1.attack_mode, top1.attack_precision,\n"
        "       top1.smaller_epsilons, top1.flags, top1.decomposition,",
    ),
)
LEADERBOARD = _changed(
    views_0002.LEADERBOARD,
    (
        "conditions.attack, conditions.attack_version, conditions.epsilon,",
        f"conditions.attack, conditions.attack_version, conditions.epsilon, {_FLAGS} AS flags,",
    ),
    ("MIN(value) AS robust", "MIN(value) AS robust, SUM(flags) AS flags"),
    ("attacked.robust,", "attacked.robust, attacked.flags,"),
)

VIEWS = {"results": RESULTS, "leaderboard": LEADERBOARD, "robustness": ROBUSTNESS}
