"""The leaderboard of every dataset, as a table and as a picture."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pandas import DataFrame

from hfcbench.cli.leaderboard_table import compact, notes
from hfcbench.published_results.pages import Page, Picture, commands, paragraphs
from hfcbench.reports.figures.drawing import file_name
from hfcbench.reports.figures.leaderboard import MOST_ROWS, draw_leaderboard
from hfcbench.reports.figures.markdown import markdown
from hfcbench.reports.figures.themes import THEMES
from hfcbench.results.queries.naming import SECTION

if TYPE_CHECKING:
    from hfcbench.results.queries.leaderboard import Leaderboard
    from hfcbench.results.store import Store

_LISTED, _DRAWN = 30, 12
_FILTERS: dict[str, Any] = {"trained_on": "original", "group": "configuration", "columns": "main"}
_STUDIES = """
SELECT DISTINCT dataset, scale, rescaling FROM results
WHERE rescaling IS NOT NULL AND trained_on = 'original' ORDER BY dataset, scale, rescaling
"""


@dataclass(frozen=True)
class Board:
    """The leaderboard of one dataset at one scale, with components rescaled in one way."""

    dataset: str
    scale: str
    rescaling: str
    listed: Leaderboard
    drawn: Leaderboard

    @property
    def stem(self) -> str:
        """How the files of its pictures begin."""
        return file_name("leaderboard", self.dataset, self.scale, self.rescaling)

    @property
    def command(self) -> str:
        """Prints it."""
        words = ["hfcbench", "leaderboard", "--dataset", self.dataset, "--scale", self.scale]
        words += ["--rescaling", self.rescaling, "--trained-on", "original"]
        return shlex.join([*words, "--group", "configuration", "--limit", str(_LISTED)])


def boards(store: Store) -> Iterator[Board]:
    """A leaderboard for every dataset, scale and rescaling that components were seen with."""
    for dataset, scale, rescaling in store.query(_STUDIES)[1]:
        chosen = {"dataset": dataset, "scale": scale, "rescaling": rescaling} | _FILTERS
        listed = _complete(store.leaderboard(limit=_LISTED, **chosen))
        if listed.frame.empty:
            continue
        count = len(listed.frame[list(SECTION)].drop_duplicates())
        limit = max(1, min(_DRAWN, MOST_ROWS // count))
        drawn = _complete(store.leaderboard(limit=limit, **chosen))
        yield Board(str(dataset), str(scale), str(rescaling), listed, drawn)


def _complete(board: Leaderboard) -> Leaderboard:
    """Without models that nobody saw on these components."""
    names = [name for name, item in board.conditions.items() if item.cut]
    return replace(board, frame=board.frame.dropna(subset=names, how="all"))


def leaderboard_page(store: Store) -> Page:
    """A section per leaderboard."""
    says = (
        "Models trained on original images, means over seeds where there are several. Only rows of "
        "one scale and the same images are ranked against each other, and a robust score in doubt "
        "decides no rank ([what the columns mean](../database.md#leaderboard)). Rows of the scale "
        "`quick` are of a reduced study."
    )
    found = list(boards(store))
    again = [board.command for board in found]
    sections = [_section(board) for board in found]
    body = paragraphs(says, *sections, "## To see them", commands(again))
    return Page("leaderboard.md", "Leaderboards", body)


def leaderboard_pictures(store: Store) -> Iterator[Picture]:
    """A picture per leaderboard and theme."""
    for board in boards(store):
        numbers = board.drawn.frame.to_csv(index=False, lineterminator="\n", float_format="%.9g")
        for theme in THEMES:
            yield Picture(
                f"{board.stem}-{theme}.png", partial(draw_leaderboard, board.drawn, theme), numbers
            )


def _section(board: Board) -> str:
    picture = (
        '<picture><source media="(prefers-color-scheme: dark)" '
        f'srcset="{board.stem}-dark.png"><img src="{board.stem}-light.png" width="900" '
        f'alt="Leaderboard of {board.dataset}"></picture>'
    )
    columns, rows = compact(board.listed)
    table = DataFrame(
        [[_text(value) for value in row] for row in rows],
        columns=columns,
    )
    lines = "\n".join(f"- {line}" for line in notes(board.listed))
    title = f"## {board.dataset}, scale {board.scale}, rescaling {board.rescaling}"
    return paragraphs(title, picture, markdown(table), lines)


def _text(value: object) -> str:
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
