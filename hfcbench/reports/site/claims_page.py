"""The page of the paper's claims, each with what the database says about it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from hfcbench.errors import DataError, HfcbenchError
from hfcbench.reports.claims.checking import Finding, check_statement
from hfcbench.reports.claims.statements import STATEMENTS
from hfcbench.reports.reading import read_study
from hfcbench.reports.site.elements import Cell, Column, Fact, Row, Table
from hfcbench.reports.site.reading import Overview
from hfcbench.reports.site.wording import decimals, interval_text, number_cell, text_cell

if TYPE_CHECKING:
    from hfcbench.registry import Registry
    from hfcbench.results.store import Store

Override: TypeAlias = tuple[tuple[str | int, ...], Any]

_TONES = {"supported": "good", "contradicted": "bad", "undecided": "", "not run": ""}
_SIGNS = {"supported": "✓", "contradicted": "✗", "undecided": "?", "not run": "–"}


@dataclass(frozen=True)
class CheckedDataset:
    """What the database says about the statements, of one dataset and scale.

    Attributes:
        problems: why statements could not be checked.
    """

    dataset: str
    scale: str
    findings: tuple[Finding, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClaimsPage:
    """What the page shows: a table per dataset, model and scale, and what was not run."""

    facts: tuple[Fact, ...]
    tables: tuple[Table, ...]
    not_run: Table | None
    problems: tuple[str, ...]
    has_charts: bool = False


def check_claims(
    store: Store, registry: Registry, overview: Overview, overrides: Sequence[Override] = ()
) -> list[CheckedDataset]:
    """Check every statement on every dataset for classification, at every scale that was run.

    Suites are as they come with hfcbench, on all seeds that the database has.

    Args:
        overrides: what replaces parts of them, as for running them.
    """
    given = [(path, value) for path, value in overrides if path != ("datasets",)]
    named = dict(given)
    checked = []
    for record in overview.datasets:
        description = record.description
        # Statements are about classes of test images.
        if description.task != "classification" or "test" not in description.sizes:
            continue
        trainings = overview.trainings_of(record)
        for scale in sorted(set(trainings["scale"])):
            if named.get(("scale",), scale) != scale:
                continue
            seeds = sorted(map(int, set(trainings.loc[trainings["scale"] == scale, "seed"])))
            every: list[Override] = [
                (("datasets",), [record.name]),
                (("scale",), scale),
                (("seeds",), seeds),
                *given,
            ]
            checked.append(_check(store, registry, record.name, str(scale), every))
    return checked


def claims_page(checked: Iterable[CheckedDataset]) -> ClaimsPage:
    """The page; statements that were not run on any dataset are listed once."""
    checked = list(checked)
    run = [finding for one in checked for finding in one.findings if finding.verdict != "not run"]
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in run:
        groups.setdefault((finding.dataset, finding.model, finding.scale), []).append(finding)
    tables = [_table(place, *key, members) for place, (key, members) in enumerate(groups.items())]
    problems = dict.fromkeys(problem for one in checked for problem in one.problems)
    return ClaimsPage(_facts(run), tuple(tables), _not_run(run), tuple(problems))


def _check(
    store: Store, registry: Registry, dataset: str, scale: str, overrides: Sequence[Override]
) -> CheckedDataset:
    studies: dict[str, Any] = {}
    findings: list[Finding] = []
    problems: list[str] = []
    for statement in STATEMENTS:
        suite = statement.suite
        if suite not in studies:
            command = shlex.join(
                ["hfcbench", "run", "--suite", suite, "--dataset", dataset, "--scale", scale]
            )
            try:
                studies[suite] = read_study(store, registry, suite, overrides, command=command)
            except DataError:
                # The database has another version of the dataset than this hfcbench.
                studies[suite] = None
            except HfcbenchError as error:
                studies[suite] = None
                problems.append(f"{suite} on {dataset} cannot be checked: {error.what}.")
        if studies[suite] is not None:
            findings += check_statement(statement, studies[suite])
    return CheckedDataset(dataset, scale, tuple(findings), tuple(problems))


def _facts(run: Sequence[Finding]) -> tuple[Fact, ...]:
    counts = dict.fromkeys(("supported", "contradicted", "undecided"), 0)
    for finding in run:
        counts[finding.verdict] += 1
    facts = [Fact(verdict, str(count)) for verdict, count in counts.items()]
    without = len(STATEMENTS) - len({finding.statement.name for finding in run})
    return (*facts, Fact("statements not run on any dataset", str(without)))


def _table(place: int, dataset: str, model: str, scale: str, findings: Sequence[Finding]) -> Table:
    columns = (
        Column("verdict"),
        Column("statement"),
        Column("effect", "effect", "with 95% interval", "positive speaks for the statement"),
        Column("compared"),
        Column("seeds", "number"),
    )
    models = "all models" if model == "all" else model
    title = f"{dataset}, {models}, scale {scale}"
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
