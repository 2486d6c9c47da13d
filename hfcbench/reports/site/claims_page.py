"""The page of the paper's claims, each with what the database says about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hfcbench.reports.claims.checking import Finding
from hfcbench.reports.claims.statements import STATEMENTS
from hfcbench.reports.site.checked_claims import CheckedClaims
from hfcbench.reports.site.elements import Cell, Column, Fact, Row, Table
from hfcbench.reports.site.wording import decimals, interval_text, number_cell, text_cell

_TONES = {"supported": "good", "contradicted": "bad", "undecided": "", "not run": ""}
_SIGNS = {"supported": "✓", "contradicted": "✗", "undecided": "?", "not run": "–"}


@dataclass(frozen=True)
class ClaimsPage:
    """What the page shows: a table per dataset, model and scale, and what was not run."""

    facts: tuple[Fact, ...]
    tables: tuple[Table, ...]
    not_run: Table | None
    problems: tuple[str, ...]
    has_charts: bool = False


def claims_page(checked: CheckedClaims) -> ClaimsPage:
    """The page; statements that were not run on any dataset are listed once."""
    groups: dict[tuple[str, str, str, str], list[Finding]] = {}
    for study in checked.studies:
        for finding in study.findings:
            key = (finding.dataset, finding.model, finding.scale, study.images)
            groups.setdefault(key, []).append(finding)
    run = [finding for members in groups.values() for finding in members]
    tables = [_table(place, *key, members) for place, (key, members) in enumerate(groups.items())]
    return ClaimsPage(_facts(run), tuple(tables), _not_run(run), checked.problems)


def _facts(run: Sequence[Finding]) -> tuple[Fact, ...]:
    counts = dict.fromkeys(("supported", "contradicted", "undecided"), 0)
    for finding in run:
        counts[finding.verdict] += 1
    facts = [Fact(verdict, str(count)) for verdict, count in counts.items()]
    without = len(STATEMENTS) - len({finding.statement.name for finding in run})
    return (*facts, Fact("statements not run on any dataset", str(without)))


def _table(
    place: int, dataset: str, model: str, scale: str, images: str, findings: Sequence[Finding]
) -> Table:
    columns = (
        Column("verdict"),
        Column("statement"),
        Column("effect", "effect", "with 95% interval", "positive speaks for the statement"),
        Column("compared"),
        Column("seeds", "number"),
    )
    models = "all models" if model == "all" else model
    title = f"{dataset}, {models}, scale {scale}, {images}"
    rows = tuple(Row(_cells(finding)) for finding in findings)
    return Table(f"claims-{place}", title, columns, rows, title)


def _cells(finding: Finding) -> tuple[Cell, ...]:
    statement, effect = finding.statement, finding.deciding
    verdict = finding.verdict
    more = len(finding.effects) - 1
    of = ("", "") if effect is None else (effect.described, _beside(more, statement.any_of))
    shown = Cell("") if effect is None else _effect(effect.value, effect.low, effect.high)
    seeds = number_cell(None if effect is None else float(effect.seeds))
    return (
        Cell(f"{_SIGNS[verdict]} {verdict}", verdict, tone=_TONES[verdict]),
        text_cell(statement.text, note=f"{statement.source} · {statement.name}"),
        shown,
        text_cell(of[0], note=of[1]),
        seeds,
    )


def _beside(more: int, any_of: bool) -> str:
    if not more:
        return ""
    which = "speaks most for it" if any_of else "speaks least for it"
    return f"of {more + 1} comparisons the one that {which}"


def _effect(value: float, low: float, high: float) -> Cell:
    """A difference in [-1,1] on a bar whose middle is 0."""

    def place(number: float) -> float:
        return min(max((number + 1) / 2, 0.0), 1.0)

    return Cell(
        decimals(value, signed=True),
        value,
        interval_text(low, high),
        share=place(value),
        interval=(place(low), place(high)),
    )


def _not_run(run: Sequence[Finding]) -> Table | None:
    done = {finding.statement.name for finding in run}
    rows = [
        Row(
            (
                text_cell(statement.text, note=f"{statement.source} · {statement.name}"),
                text_cell(f"hfcbench run --suite {statement.suite}"),
            )
        )
        for statement in STATEMENTS
        if statement.name not in done
    ]
    if not rows:
        return None
    columns = (Column("statement"), Column("to run it", "code"))
    return Table("not-run", "Statements that were not run", columns, tuple(rows))
