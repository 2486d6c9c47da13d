"""The leaderboard: a row per training and defence, a column per condition, ranks that hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import ColumnElement, Connection, func, select

from hfcbench.errors import UsageError, nearest
from hfcbench.results.queries import facts
from hfcbench.results.queries.conditions import (
    KnownCondition,
    KnownMetric,
    column_names,
    column_order,
    known_conditions,
    known_metric,
    main_cut,
    middle,
)
from hfcbench.results.queries.headlines import headlines_where
from hfcbench.results.queries.naming import GROUPS, NAMES, SECTION
from hfcbench.results.queries.pivot import LeaderboardRows, pivoted
from hfcbench.results.queries.rank_ranges import with_rank_intervals
from hfcbench.results.queries.ranking import Order, in_sections, limited, means, ranked
from hfcbench.results.queries.reliability import flags, flags_among, flags_of
from hfcbench.results.queries.where import Filter
from hfcbench.results.schema import Score

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LeftOut:
    """How many rows or scores are not shown or have no rank, and why."""

    count: int
    what: str

    def __str__(self) -> str:
        return f"{self.count} {self.what}"


@dataclass(frozen=True)
class Leaderboard:
    """Ranked rows.

    Attributes:
        metric: in all columns of scores.
        frame: see :meth:`hfcbench.results.store.Store.leaderboard`.
        conditions: what each column of scores is of, by the column's name.
        left_out: what is not in the frame or has no rank, and why.
        flags: all that are raised about scores in the frame, see
            :data:`hfcbench.reliability_checks.ADVICE`.
    """

    metric: str
    frame: pd.DataFrame
    conditions: Mapping[str, KnownCondition]
    left_out: tuple[LeftOut, ...]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """What a leaderboard is asked for; see :meth:`hfcbench.results.store.Store.leaderboard`."""

    metric: str | None
    sort: str
    group: str | None
    limit: int | None
    columns: Literal["all", "main"]
    cutoff: float | None
    epsilon: float | None
    rank_intervals: bool
    intervals: bool


def leaderboard(connection: Connection, question: Question, where: Filter) -> Leaderboard:
    """Answer a question: rank all rows by few numbers, then fetch what the best ones show.

    Raises:
        UsageError: there is no such metric, column, group, cutoff or epsilon, or intervals of means
            are asked for.
    """
    if question.intervals and question.group is not None:
        raise UsageError("means over a group have no intervals of single scores; leave one of both")
    if question.group is not None and question.group not in GROUPS:
        raise UsageError(
            f"the leaderboard cannot be grouped by '{question.group}'; "
            + nearest(question.group, GROUPS)
        )
    clause = where.clause()
    name, others = _metric_name(connection, question.metric, clause)
    metric = known_metric(connection, name)
    allowed = facts.condition_ids_where(connection, clause)
    if metric is not None:
        # Radii of another task must not decide which one of this is shown.
        allowed &= facts.scored_conditions(connection, metric)
    everything = known_conditions(connection)
    known = [item for item in everything if item.condition_id in allowed]
    originals = [item for item in known if item.is_original]
    if metric is None or not originals:
        return Leaderboard(name, pivoted(LeaderboardRows.empty(), [], None, NAMES), {}, ())
    columns = _columns(known, question)
    order = _order(question.sort, known, columns, lower_is_better=not metric.higher_is_better)
    needed = {item.condition_id: item for item in (*originals, *order.conditions)}
    scores = facts.scores_under(connection, metric, list(needed), clause)
    trainings = facts.trainings_where(connection)
    deciding = [item.condition_id for item in order.conditions]
    doubts = flags(connection, everything, set(scores["training_id"]), deciding)
    rows = in_sections(scores, needed, trainings, order, doubts)
    if question.group is not None:
        rows = means(rows, question.group)
    rows = ranked(rows, order)
    shown = limited(rows, question.limit)
    found = facts.scores_of(connection, metric, _wanted(shown, columns))
    table = LeaderboardRows(shown, found, trainings, question.group)
    present = set(found["condition_id"])
    columns = [item for item in columns if item.condition_id in present]
    frame = pivoted(table, columns, metric, NAMES, intervals=question.intervals)
    raised = _add_flags(connection, frame, table, everything, columns)
    left_out = _left_out(connection, metric, rows, shown, known, columns, order)
    if question.rank_intervals:
        frame, why_not = with_rank_intervals(connection, frame, rows, shown, metric, order, needed)
        left_out.extend(LeftOut(count, what) for count, what in why_not)
    names = column_names(columns)
    of = {names[item.condition_id]: item for item in columns}
    left_out.extend(others)
    return Leaderboard(name, frame, of, tuple(left_out), raised)


def _metric_name(
    connection: Connection, asked: str | None, clause: ColumnElement[bool]
) -> tuple[str, list[LeftOut]]:
    """The metric that was asked for, or that ranks models; and who is left out by that choice."""
    if asked is not None:
        return asked, []
    (name, _), *others = headlines_where(connection, clause).items()
    return name, [
        LeftOut(count, f"trainings for another task, which metric '{other}' ranks")
        for other, count in others
    ]


def _add_flags(
    connection: Connection,
    frame: pd.DataFrame,
    table: LeaderboardRows,
    everything: Sequence[KnownCondition],
    columns: Sequence[KnownCondition],
) -> tuple[str, ...]:
    """Add the column ``flags`` to a frame of these rows and columns; returns those in it."""
    attacked = {item.condition_id: item for item in columns if item.is_attacked}
    scores = table.scores[table.scores["condition_id"].isin(list(attacked))]
    states = [str(attacked[number].state) for number in scores["condition_id"]]
    found = flags(connection, everything, set(scores["training_id"]), list(attacked))
    texts = flags_of(table.ranked, scores.assign(state=states), column_names(columns), found)
    frame.insert(list(frame.columns).index("n_attacked") + 1, "flags", texts)
    return flags_among(texts)


def _order(
    sort: str,
    known: Sequence[KnownCondition],
    columns: Sequence[KnownCondition],
    *,
    lower_is_better: bool,
) -> Order:
    """Which conditions the rows are sorted by."""
    column, reverse = sort.removeprefix("-"), sort.startswith("-")
    if column in NAMES:
        return Order(column, (), reverse, lower_is_better, by_name=True)
    if column == "robust":
        attacked = [item for item in columns if item.is_attacked and item.cut is None]
        return Order(column, tuple(attacked), reverse, lower_is_better, attacked=True)
    names = column_names(known)
    matching = [item for item in known if names[item.condition_id] == column]
    if not matching:
        # A component that was cut in several ways means the way that is shown first.
        cuts = main_cut(_cut_counts(known))
        plain = column_names([item for item in known if item.cut in (None, cuts)])
        matching = [item for item in known if plain.get(item.condition_id) == column]
    if not matching:
        raise UsageError(
            f"the leaderboard has no column '{column}' to sort by; "
            + nearest(column, sorted({*names.values(), *NAMES, "robust"}))
        )
    attacked_column = matching[0].is_attacked
    return Order(column, tuple(matching), reverse, lower_is_better, attacked=attacked_column)


def _columns(known: Sequence[KnownCondition], question: Question) -> list[KnownCondition]:
    """The conditions that are shown: all, or one cutoff of one cut and one epsilon."""
    parts = [item for item in known if item.cut is not None and not item.is_attacked]
    attacked = [item for item in known if item.is_attacked]
    cutoff, epsilon = question.cutoff, question.epsilon
    if question.columns == "main":
        cut = main_cut(_cut_counts(known))
        parts = [item for item in parts if item.cut == cut]
        attacked = [item for item in attacked if item.cut is None]
        cutoff = middle(item.cutoff or 0.0 for item in parts) if cutoff is None else cutoff
        if epsilon is None:
            epsilon = min((item.epsilon or 0.0 for item in attacked), default=None)
    parts = _of(parts, "cutoff", cutoff, question.cutoff, "radius")
    attacked = [
        *_of(
            [item for item in attacked if item.cut is None],
            "epsilon",
            epsilon,
            question.epsilon,
            "epsilon",
        ),
        *_of([item for item in attacked if item.cut is not None], "cutoff", cutoff, None, ""),
    ]
    originals = [item for item in known if item.is_original]
    return sorted([*originals, *parts, *attacked], key=column_order)


def _of(
    items: list[KnownCondition],
    field: str,
    wanted: float | None,
    asked: float | None,
    what: str,
) -> list[KnownCondition]:
    if wanted is None:
        return items
    chosen = [item for item in items if getattr(item, field) == wanted]
    if asked is not None and not chosen:
        values = sorted({getattr(item, field) or 0.0 for item in items})
        there = ", ".join(f"{value:g}" for value in values) or "none"
        raise UsageError(f"there are no rows for {what} {asked:g}; there are: {there}")
    return chosen


def _cut_counts(known: Sequence[KnownCondition]) -> dict[tuple[str, str | None, str | None], int]:
    counts: dict[tuple[str, str | None, str | None], int] = {}
    for item in known:
        if item.cut is not None and not item.is_attacked:
            counts[item.cut] = counts.get(item.cut, 0) + 1
    return counts


def _wanted(
    shown: pd.DataFrame, columns: Sequence[KnownCondition]
) -> list[tuple[list[int], list[int]]]:
    """The trainings that are shown in each state, with that state's conditions."""
    members: dict[str, set[int]] = {}
    for pairs in shown["pairs"]:
        for training_id, state in pairs:
            members.setdefault(state, set()).add(training_id)
    return [
        (sorted(training_ids), [c.condition_id for c in columns if str(c.state) == state])
        for state, training_ids in members.items()
    ]


def _left_out(
    connection: Connection,
    metric: KnownMetric,
    rows: pd.DataFrame,
    shown: pd.DataFrame,
    known: Sequence[KnownCondition],
    columns: Sequence[KnownCondition],
    order: Order,
) -> list[LeftOut]:
    """Everything that a reader may miss, with its reason."""
    found = []
    if len(rows) > len(shown):
        found.append(LeftOut(len(rows) - len(shown), "rows beyond the limit"))
    unranked = rows[rows["rank"].isna()]
    doubted = int(unranked["in_doubt"].sum())
    if doubted:
        why = f"rows without a rank: flags cast doubt on their score in column '{order.column}'"
        found.append(LeftOut(doubted, why))
    if len(unranked) > doubted:
        why = f"rows without a rank: no finite score in column '{order.column}'"
        found.append(LeftOut(len(unranked) - doubted, why))
    sections = rows.groupby(list(SECTION), dropna=False).ngroups
    if sections > 1:
        what = "rankings that do not compare: other content, scale, split, procedure or n"
        found.append(LeftOut(sections, what))
    if metric.older:
        count = connection.scalar(select(func.count()).where(Score.metric_id.in_(metric.older)))
        found.append(LeftOut(count or 0, f"scores of older versions of metric '{metric.name}'"))
    shown_cuts = {item.cut for item in columns}
    hidden = {item.cut for item in known if item.cut is not None and item.cut not in shown_cuts}
    for decomposition, version, rescaling in sorted(hidden, key=str):
        count = sum(item.cut == (decomposition, version, rescaling) for item in known)
        what = f"conditions of {decomposition} (version {version}, rescaling {rescaling})"
        found.append(LeftOut(count, what))
    return found
