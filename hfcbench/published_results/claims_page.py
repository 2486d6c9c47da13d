"""Every statement of the paper: what was found, on each dataset, for or against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from hfcbench.cli.asked import Asked, AskedStudy
from hfcbench.published_results.pages import Page, commands, paragraphs
from hfcbench.published_results.paper_numbers import PAPER
from hfcbench.published_results.settings import Setting, setting_of
from hfcbench.reports.claims.checking import Finding, check_statement
from hfcbench.reports.claims.estimates import Verdict
from hfcbench.reports.claims.statements import STATEMENTS, Statement
from hfcbench.reports.figures.markdown import markdown

if TYPE_CHECKING:
    from hfcbench.results.store import Store

_VERDICTS: tuple[Verdict, ...] = ("supported", "contradicted", "undecided")
_HOW = (
    "An effect is positive in favour of the statement; its 95% interval decides the verdict: over "
    "seeds where there are several, else over images ([how sure a claim is](../study.md)). Where a "
    "statement rests on several effects, the one that decides is shown, and their intervals hold "
    "together. `undecided` means that the interval does not tell, not that nothing is there."
)


def claims_page(store: Store, studies: Sequence[AskedStudy]) -> Page:
    """A summary, what contradicts the paper, and a section per statement."""
    suites = {statement.suite for statement in STATEMENTS}
    studies = [item for item in studies if item.asked.suite in suites]
    settings = [setting_of(store, item.study) for item in studies]
    found: dict[str, list[tuple[Finding, Setting]]] = {item.name: [] for item in STATEMENTS}
    for statement in STATEMENTS:
        for item, setting in zip(studies, settings, strict=True):
            if item.asked.suite == statement.suite:
                findings = check_statement(statement, item.study)
                found[statement.name] += [
                    (finding, setting) for finding in findings if finding.effects
                ]
    body = paragraphs(
        f"The statements of {PAPER}, each held against every study of the database that can tell.",
        _HOW,
        "## Summary",
        markdown(pd.DataFrame([_summary(item, found[item.name]) for item in STATEMENTS])),
        "## Against the paper",
        _contradictions(found),
        *(_section(item, found[item.name]) for item in STATEMENTS),
        "## To check them again",
        commands([_check(item.asked) for item in studies]),
    )
    return Page("claims.md", "The paper's statements", body)


def _summary(statement: Statement, found: list[tuple[Finding, Setting]]) -> dict[str, Any]:
    counts = Counter(finding.verdict for finding, _ in found)
    numbers: dict[str, Any] = {verdict: str(counts[verdict] or "") for verdict in _VERDICTS}
    link = f"[{statement.name}](#{statement.name})"
    return {"statement": link, "the paper says": statement.text, **numbers}


def _contradictions(found: dict[str, list[tuple[Finding, Setting]]]) -> str:
    lines = [
        f"- {finding.statement.name}, on {finding.dataset} ({finding.model}, scale "
        f"{finding.scale}): {_effect(finding)}, {finding.deciding.described}"
        for findings in found.values()
        for finding, _ in findings
        if finding.verdict == "contradicted" and finding.deciding is not None
    ]
    return "\n".join(lines) or "No study contradicts a statement."


def _section(statement: Statement, found: list[tuple[Finding, Setting]]) -> str:
    rows = [_row(finding, setting) for finding, setting in found]
    says = f"The paper: {statement.text} ({statement.source}). Suite `{statement.suite}`."
    table = markdown(pd.DataFrame(rows)) if rows else "Not run."
    return paragraphs(f"## {statement.name}", says, table)


def _row(finding: Finding, setting: Setting) -> dict[str, Any]:
    effect = finding.deciding
    return {
        "verdict": finding.verdict,
        "dataset": finding.dataset,
        "model": finding.model,
        "setting": _short(setting),
        "effect [95%]": _effect(finding),
        "compared": "" if effect is None else effect.described,
        "seeds": "" if effect is None else str(effect.seeds),
    }


def _short(setting: Setting) -> str:
    scale = "full" if setting.scale == "full" else f"{setting.scale} (reduced)"
    epochs = (
        f"{setting.epochs[0]}"
        if len(set(setting.epochs)) == 1
        else (f"{setting.epochs[0]} to {setting.epochs[1]}")
    )
    return f"{scale}, {setting.images[1]:,} images, {epochs} epochs"


def _effect(finding: Finding) -> str:
    effect = finding.deciding
    if effect is None:
        return ""
    return f"{effect.value:+.3f} [{effect.low:+.3f}, {effect.high:+.3f}]"


def _check(asked: Asked) -> str:
    """The command that checks a study's statements, from the one that runs it."""
    names = [item.name for item in STATEMENTS if item.suite == asked.suite]
    changed = asked.command.removeprefix(f"hfcbench run --suite {asked.suite}")
    return f"hfcbench claims {' '.join(names)}{changed}"
