"""What was run, where, with which versions, how to repeat it, and how it differs from the paper."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from hfcbench.cli.asked import AskedStudy
from hfcbench.published_results.inventory import (
    datasets_table,
    run_commands,
    runs_table,
    score_count,
    trainings_table,
    versions_table,
)
from hfcbench.published_results.pages import AGAIN, Page, commands, paragraphs
from hfcbench.published_results.paper_numbers import PAPER
from hfcbench.published_results.settings import schedule_text, setting_of
from hfcbench.reports.figures.markdown import markdown
from hfcbench.types import Schedule

if TYPE_CHECKING:
    from hfcbench.results.store import Store

_PAPER_SUITE = "paper/"
_PAGES = """
- [Leaderboards](leaderboard.md) of every dataset
- [The paper's statements](claims.md): what was found for and against them
- [Table 1](table1.md) and [table 2](table2.md), ours beside the paper's
- [Detection](detection.md): what a detector sees without low or high frequencies
"""


def index_page(store: Store, studies: Sequence[AskedStudy]) -> Page:
    """The first page of the published results."""
    trainings = trainings_table(store)
    total = sum(map(int, trainings["trainings"])) if len(trainings) else 0
    says = (
        f"`results.db` at the top of this repository holds {score_count(store):,} scores of "
        f"{total:,} trained models, each written by a run that is named below. It opens in plain "
        "`sqlite3`; `hfcbench show ID --db results.db` tells where a number comes from."
    )
    usual = schedule_text(vars(Schedule()))
    body = paragraphs(
        says,
        _PAGES,
        "## Datasets",
        markdown(datasets_table(store)),
        "## Trainings and evaluations",
        "A training that several suites need is done once, and stands with the one that asked "
        "first. `quick` marks a study that was made smaller than it is described, in every row.",
        markdown(trainings),
        "## What differs from the paper",
        f"The set-up of {PAPER}, section 4.2: {usual}, {Schedule().epochs} epochs on all of "
        "CIFAR-10. The suites that repeat it were run like this:",
        markdown(_differences(store, studies)),
        "## Runs",
        markdown(runs_table(store)),
        "Versions:",
        markdown(versions_table(store)),
        "## To repeat them",
        "In a folder that holds the datasets as `data`; what the database has is not run again.",
        commands([_here(command) for command in run_commands(store)]),
        "These pages are made again, or checked, by",
        commands([AGAIN, f"{AGAIN} --check"]),
    )
    return Page("index.md", "Published results", body)


def _here(command: str) -> str:
    """A command without its database, so that it writes to `results.db` where it is called."""
    words = shlex.split(command)
    while "--db" in words:
        at = words.index("--db")
        words = words[:at] + words[at + 2 :]
    return shlex.join(word for word in words if not word.startswith("--db="))


def _differences(store: Store, studies: Sequence[AskedStudy]) -> pd.DataFrame:
    """For each dataset what all suites of the paper differ in, and what some do besides."""
    changes: dict[str, dict[str, list[str]]] = {}
    for item in studies:
        if item.asked.suite.startswith(_PAPER_SUITE):
            setting = setting_of(store, item.study)
            of_suite = changes.setdefault(setting.dataset, {}).setdefault(item.asked.suite, [])
            of_suite += setting.changes()
    rows = []
    for dataset, by_suite in changes.items():
        first, *others = by_suite.values()
        common = [part for part in dict.fromkeys(first) if all(part in each for each in others)]
        rows.append((dataset, "all", "; ".join(common) or "nothing"))
        besides: dict[str, list[str]] = {}
        for suite, parts in by_suite.items():
            more = "; ".join(part for part in dict.fromkeys(parts) if part not in common)
            if more:
                besides.setdefault(more, []).append(suite)
        rows += [(dataset, ", ".join(suites), more) for more, suites in besides.items()]
    return pd.DataFrame(rows, columns=["dataset", "suites of the paper", "differ in"])
