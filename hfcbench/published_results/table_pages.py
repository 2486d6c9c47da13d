"""Tables 1 and 2 of the paper: ours, the published ones, and the differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from hfcbench.cli.asked import AskedStudy
from hfcbench.published_results.pages import Page, commands, paragraphs
from hfcbench.published_results.paper_numbers import (
    ADVERSARIAL,
    CONDITIONS,
    DATASET,
    NATURAL,
    PAPER,
    RHOS,
    TABLE_1,
    TABLE_2,
    Cell,
)
from hfcbench.published_results.settings import setting_of
from hfcbench.references import parse_label
from hfcbench.reports.figures.conditions import accuracies_on_test
from hfcbench.reports.figures.estimates import summarise
from hfcbench.reports.figures.markdown import markdown
from hfcbench.reports.figures.selection import interval_note
from hfcbench.reports.figures.tables import OF_SCORES, train_and_test

if TYPE_CHECKING:
    from pandas import DataFrame

    from hfcbench.reports.study import Study
    from hfcbench.results.store import Store

_HEURISTICS = {NATURAL: "vanilla", ADVERSARIAL: "adversarial-training"}
_NOT_RUN = "The database has no results of this table yet."


def table1_page(store: Store, studies: Sequence[AskedStudy]) -> Page:
    """Models trained on LFCs or HFCs alone, beside the paper's table 1."""
    says = (
        "Trained on one component of every training image, tested on original test images. `train` "
        "is accuracy on the component that was trained on, after the last epoch; differences are "
        f"ours minus the paper's ({PAPER}, table 1, {DATASET})."
    )
    sections = _sections(store, studies, "paper/table1", _table1_rows)
    return Page("table1.md", "Table 1: trained on one component", paragraphs(says, sections))


def table2_page(store: Store, studies: Sequence[AskedStudy]) -> Page:
    """Kernel smoothing under attack, beside the paper's table 2."""
    says = (
        "Accuracy of a natural and an adversarially trained model, with the kernels of the first "
        "convolution smoothed by `rho`, on clean test images and under FGSM and PGD. Differences "
        f"are ours minus the paper's ({PAPER}, table 2, {DATASET})."
    )
    sections = _sections(store, studies, "paper/table2", _table2_rows)
    return Page("table2.md", "Table 2: kernel smoothing under attack", paragraphs(says, sections))


def _sections(
    store: Store,
    studies: Sequence[AskedStudy],
    suite: str,
    rows_of: Callable[[Study], Sequence[str]],
) -> str:
    """A section per study of a suite; says where there is none."""
    found = [_section(store, item, rows_of) for item in studies if item.asked.suite == suite]
    return paragraphs(*found) or _NOT_RUN


def _section(store: Store, item: AskedStudy, rows_of: Callable[[Study], Sequence[str]]) -> str:
    study = item.study
    setting = setting_of(store, study)
    differs = setting.differences()
    missing = f"{study.missing} planned results are missing." if study.missing else ""
    return paragraphs(
        f"## {setting.dataset}, {', '.join(setting.models)}, scale {study.scale}",
        f"Setting: {setting}.",
        f"Differs from the paper in: {'; '.join(differs)}." if differs else "",
        missing,
        *rows_of(study),
        "To run it:",
        commands([item.asked.command]),
    )


def _table1_rows(study: Study) -> list[str]:
    rows = train_and_test(study)
    if rows.empty:
        return [_NOT_RUN]
    found = summarise(rows, ["trained_on", "measure"])
    by_key = {(row.trained_on, row.measure): row for row in found.itertuples()}
    table = []
    for trained_on in dict.fromkeys(found["trained_on"]):
        published = TABLE_1.get(str(trained_on))
        row: dict[str, Any] = {"trained on": trained_on}
        for measure in ("train", "test"):
            theirs = getattr(published, measure) if published else math.nan
            row |= _beside(measure, by_key.get((trained_on, measure)), theirs)
        table.append(row)
    return [markdown(pd.DataFrame(table)), f"Intervals: {interval_note(rows, OF_SCORES)}."]


def _beside(name: str, ours: Any, theirs: float) -> dict[str, Any]:
    value, low, high = (ours.value, ours.low, ours.high) if ours else (math.nan,) * 3
    return {
        f"{name}, ours": value,
        f"{name}, ours_low": low,
        f"{name}, ours_high": high,
        f"{name}, paper": theirs,
        f"{name}, difference": _signed(value - theirs),
    }


def _signed(value: float) -> str:
    return "" if math.isnan(value) else f"{value:+.3f}"


def _table2_rows(study: Study) -> list[str]:
    scores = accuracies_on_test(study)
    rows = scores[scores["rho"].notna()]
    if rows.empty:
        return [_NOT_RUN]
    attacks = [parse_label(label)[0] for label in rows["attack"]]
    found = summarise(rows.assign(attack=attacks), ["heuristics", "rho", "attack", "epsilon"])
    ours = dict(_cells(found))
    labels = ", ".join(dict.fromkeys(label for label in rows["attack"] if label != "none"))
    return [
        "### Ours",
        markdown(_wide(lambda cell, name: _interval(ours.get(cell), name))),
        f"Intervals: {interval_note(rows, OF_SCORES)}. Attacks: {labels}.",
        "### The paper's",
        markdown(_wide(lambda cell, name: {name: TABLE_2[cell]})),
        "### Ours minus the paper's",
        markdown(_wide(lambda cell, name: {name: _difference(ours.get(cell), cell)})),
        _agreement(ours),
    ]


def _cells(found: DataFrame) -> Iterator[tuple[Cell, Any]]:
    """The rows of table 2 by their place in it."""
    for row in found.itertuples():
        one: Any = row
        for training, heuristics in _HEURISTICS.items():
            if parse_label(one.heuristics)[0] == heuristics:
                epsilon = None if math.isnan(one.epsilon) else float(one.epsilon)
                yield Cell(training, float(one.rho), one.attack, epsilon), one


def _wide(cells: Callable[[Cell, str], dict[str, Any]]) -> DataFrame:
    """A row per training and rho, a column per attack and epsilon."""
    table = []
    for training in _HEURISTICS:
        for rho in RHOS:
            row: dict[str, Any] = {"model": training, "rho": f"{rho:g}"}
            for attack, epsilon in CONDITIONS:
                name = "clean" if epsilon is None else f"{attack} {epsilon:g}"
                row |= cells(Cell(training, rho, attack, epsilon), name)
            table.append(row)
    return pd.DataFrame(table)


def _interval(row: Any, name: str) -> dict[str, Any]:
    value, low, high = (row.value, row.low, row.high) if row else (math.nan,) * 3
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _difference(row: Any, cell: Cell) -> str:
    return _signed(row.value - TABLE_2[cell]) if row else ""


def _agreement(ours: dict[Cell, Any]) -> str:
    held = [cell for cell in TABLE_2 if cell in ours]
    differences = [abs(ours[cell].value - TABLE_2[cell]) for cell in held]
    within = sum(ours[cell].low <= TABLE_2[cell] <= ours[cell].high for cell in held)
    if not held:
        return ""
    return (
        f"Of {len(held)} numbers that both have, {within} of the paper's lie within our 95% "
        f"interval; the mean absolute difference is {sum(differences) / len(held):.3f}."
    )
