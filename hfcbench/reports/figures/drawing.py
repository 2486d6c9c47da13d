"""What a figure function returns, and how it becomes files."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib import style
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from pandas import DataFrame

from hfcbench.errors import UsageError
from hfcbench.reports.figures.markdown import markdown

DOTS_PER_INCH = 150
# What a user's own matplotlib settings may not change: the same study gives the same bytes.
_STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "figure.titlesize": 11,
    "font.size": 9,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "svg.fonttype": "none",
    "svg.hashsalt": "hfcbench",
    # Labels come from plugins and files: a dollar sign in one is no formula.
    "text.parse_math": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


@dataclass(frozen=True)
class Drawing:
    """A figure and the name of its files, without ending."""

    name: str
    figure: Figure


@dataclass(frozen=True)
class TableOutput:
    """A table and the name of its files, without ending.

    Attributes:
        frame: columns ``x``, ``x_low`` and ``x_high`` are a value and its 95% interval.
        note: what the numbers rest on; stands below the Markdown table.
    """

    name: str
    frame: DataFrame
    note: str = ""


_PANEL_CHARACTERS = 26
_FORMATS: dict[str, tuple[type[FigureCanvasBase], dict[str, Any]]] = {
    ".png": (FigureCanvasAgg, {"dpi": DOTS_PER_INCH, "metadata": {"Software": None}}),
    ".svg": (FigureCanvasSVG, {"metadata": {"Date": None}}),
}


@contextmanager
def house_style() -> Iterator[None]:
    """Settings under which figures are made and saved; the caller's come back afterwards."""
    with style.context(["default", _STYLE]):
        yield


def new_figure(width: float, height: float, title: str, footnote: str) -> Figure:
    """An empty figure of a size in inches, with its title and footnote; its layout adapts itself.

    Call it, and draw on it, within :func:`house_style`.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle("\n".join(textwrap.wrap(title, int(width * 11))), x=0.01, ha="left")
    wrapped = "\n".join(textwrap.wrap(footnote, int(width * 18)))
    figure.supxlabel(wrapped, x=0.01, ha="left", fontsize=7, color="0.35")
    return figure


def panel_title(*lines: str) -> str:
    """The title of a panel: what is too long for its width goes on in a new line."""
    return "\n".join(
        part for line in lines for part in textwrap.wrap(line, _PANEL_CHARACTERS) or [""]
    )


def file_name(*parts: str) -> str:
    """Parts joined by hyphens, each reduced to letters, digits, dots, ``=`` and hyphens."""
    cleaned = (re.sub(r"[^A-Za-z0-9.=]+", "-", part).strip("-.") for part in parts)
    return "-".join(part for part in cleaned if part)


def save(output: Drawing | TableOutput, folder: Path) -> list[Path]:
    """Write an output's files into a folder, which is made if it is not there.

    Returns:
        The paths: PNG and SVG of a drawing, CSV and Markdown of a table. Equal outputs give equal
        bytes under the same version of matplotlib.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / output.name
    if isinstance(output, Drawing):
        return _save_drawing(output.figure, stem)
    csv, text = _with_ending(stem, ".csv"), _with_ending(stem, ".md")
    output.frame.to_csv(csv, index=False, lineterminator="\n")
    body = markdown(output.frame) + (f"\n{output.note}\n" if output.note else "")
    text.write_text(body, encoding="utf-8", newline="\n")
    return [csv, text]


def check_ending(path: Path) -> None:
    """Refuse a file name that says no format in which figures are drawn.

    Raises:
        UsageError: it ends neither in ``.png`` nor in ``.svg``.
    """
    if path.suffix not in _FORMATS:
        raise UsageError(
            f"a figure cannot be drawn to '{path}'", hint="name a file that ends in .png or .svg"
        )


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure into a file whose ending is the format, ``.png`` or ``.svg``.

    Equal figures give equal bytes under the same version of matplotlib.

    Raises:
        UsageError: it ends otherwise, or cannot be written.
    """
    check_ending(path)
    canvas, options = _FORMATS[path.suffix]
    with house_style():
        # Its own canvas: text is laid out again for the other resolution.
        canvas(figure)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, **options)
        except OSError as error:
            raise UsageError(f"'{path}' cannot be written: {error.strerror or error}") from error


def _save_drawing(figure: Figure, stem: Path) -> list[Path]:
    paths = [_with_ending(stem, ending) for ending in _FORMATS]
    for path in paths:
        save_figure(figure, path)
    return paths


def _with_ending(stem: Path, ending: str) -> Path:
    # Not with_suffix: names such as rho=0.25 have a dot in them.
    return stem.with_name(stem.name + ending)
