"""The leaderboard as a picture: what every model keeps without high frequencies, or attacked."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hfcbench.errors import UsageError
from hfcbench.reports.figures.leaderboard_points import (
    HIGH,
    LOW,
    ORIGINAL,
    ROBUST,
    BoardRow,
    BoardSection,
    Point,
    part_names,
    sections,
)
from hfcbench.reports.figures.selection import mixed_note
from hfcbench.reports.figures.themes import THEMES, Theme, themed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hfcbench.results.queries.leaderboard import Leaderboard

MOST_ROWS = 60
# Inches; shown 900 pixels wide, an inch is 100 pixels and a point 1.4.
_WIDTH, _ROW, _LEFT, _NUMBERS = 9.0, 0.34, 0.25, 1.95
_TOP, _ABOVE, _BELOW, _CHARACTER, _LINE = 0.66, 0.62, 0.36, 0.068, 0.15
_MOST_NAME = 3.9
# Scores often end at the same chance level: each kind has a lane of its own.
_LANES = {ORIGINAL: 0.22, LOW: 0.22, HIGH: -0.02, ROBUST: -0.25}
_MARKERS = {ORIGINAL: "o", LOW: "D", HIGH: "^", ROBUST: "s"}
_SIZES = {ORIGINAL: 7.0, LOW: 6.8, HIGH: 6.5, ROBUST: 5.5}
_METRICS = {"top1": "accuracy", "map": "mean average precision"}
_ONE_SEED = {"top1": "Wilson's interval", "map": "bootstrap interval over pictures"}
_COLUMNS = (("original", 0.5), ("gap", 1.2), ("robust", 1.85))


def draw_leaderboard(board: Leaderboard, theme: str = "light") -> Figure:
    """A row per model: scores on originals, LFCs and HFCs and under attack, with 95% intervals.

    The bar between original and LFC is what is lost without high frequencies.

    Args:
        board: of :meth:`hfcbench.results.store.Store.leaderboard` with ``columns="main"``.
        theme: one of :data:`hfcbench.reports.figures.themes.THEMES`.

    Raises:
        UsageError: there are no rows, or too many for one picture.
    """
    found = sections(board)
    count = sum(len(section.rows) for section in found)
    if not count:
        raise UsageError("there is nothing to draw: the leaderboard has no rows")
    if count > MOST_ROWS:
        raise UsageError(
            f"the leaderboard has {count} rows, too many for one picture",
            hint=f"choose up to {MOST_ROWS} of them, by --limit, --dataset, --model or --defence",
        )
    colours = THEMES[theme]
    note = textwrap.wrap(_note(board, found), 150)
    heights = [_ABOVE + _ROW * len(section.rows) + _BELOW for section in found]
    height = _TOP + sum(heights) + _LINE * len(note) + 0.2
    left = _left(found)
    with themed(colours):
        figure = Figure(figsize=(_WIDTH, height))
        _head(figure, board, found, colours)
        top = height - _TOP
        for section, own in zip(found, heights, strict=True):
            _draw_section(figure, section, (left, top), board.metric, colours)
            top -= own
        for number, line in enumerate(note):
            _say(figure, _LEFT, top - 0.12 - number * _LINE, line, colours.quiet, 7)
    return figure


def _head(figure: Figure, board: Leaderboard, found: Sequence[BoardSection], theme: Theme) -> None:
    top = figure.get_figheight()
    datasets = ", ".join(dict.fromkeys(section.dataset for section in found))
    title = f"Leaderboard: {datasets}"
    _say(figure, _LEFT, top - 0.3, title, theme.text, 12.5, weight="bold")
    names = part_names(board)
    labels = {
        ORIGINAL: "original images",
        LOW: f"low frequencies ({names.get(LOW)})",
        HIGH: f"high frequencies ({names.get(HIGH)})",
        ROBUST: "under attack",
    }
    shown = {kind for section in found for row in section.rows for kind in row.points}
    handles: list[Any] = [
        Line2D([], [], label=label, **_mark(kind, theme))
        for kind, label in labels.items()
        if kind in shown
    ]
    if LOW in shown:
        gap: dict[str, Any] = {"color": theme.original, "alpha": 0.45, "linewidth": 4.5}
        handles.insert(2, Line2D([], [], label="gap between the two", **gap))
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.12 / _WIDTH, (top - 0.38) / top),
        ncols=len(handles), fontsize=8.5, handlelength=1.5, handletextpad=0.5, columnspacing=1.6,
        borderpad=0.3,
    )  # fmt: skip


def _draw_section(
    figure: Figure, section: BoardSection, corner: tuple[float, float], metric: str, theme: Theme
) -> None:
    """A section: its panel begins and its heading stands so many inches from the lower left."""
    left, top = corner
    height, width = figure.get_figheight(), _WIDTH - left - _NUMBERS
    low = top - _ABOVE - _ROW * len(section.rows)
    place = (left / _WIDTH, low / height, width / _WIDTH, (top - _ABOVE - low) / height)
    panel = figure.add_axes(place)
    _say(figure, _LEFT, top - 0.27, _heading(section), theme.quiet, 8.5)
    columns = _COLUMNS if section.attacked else _COLUMNS[:-1]
    for column, offset in columns:
        _say(figure, left + width + offset, top - _ABOVE + 0.08, column, theme.quiet, 8, "right")
    for number, row in enumerate(section.rows):
        y = len(section.rows) - 1 - number
        at = low + _ROW * (y + 0.5)
        _label(figure, row, at, left, theme)
        _draw_row(panel, row, y, theme)
        for text, (_, offset) in zip(_numbers(row), _COLUMNS, strict=True):
            _say(figure, left + width + offset, at, text, theme.text, 8.5, "right")
    panel.set_ylim(-0.5, len(section.rows) - 0.5)
    panel.set_xlim(-0.012, 1.012)
    panel.set_yticks([])
    panel.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    panel.set_xlabel(_METRICS.get(metric, metric), fontsize=8, labelpad=1)
    panel.tick_params(axis="x", length=0, labelsize=8)
    panel.spines[["left", "bottom"]].set_visible(False)
    for y in range(1, len(section.rows)):
        panel.axhline(y - 0.5, color=theme.rule, linewidth=0.5, alpha=0.6, zorder=0)


def _left(found: Sequence[BoardSection]) -> float:
    """Where the panels begin, in inches: the same for all, right of the longest name."""
    longest = max(len(_name(row)) for section in found for row in section.rows)
    return _LEFT + 0.3 + min(_MOST_NAME, _CHARACTER * longest + 0.15)


def _draw_row(panel: Axes, row: BoardRow, y: int, theme: Theme) -> None:
    points = row.points
    if ORIGINAL in points and LOW in points:
        ends = [points[ORIGINAL].value, points[LOW].value]
        at = y + _LANES[ORIGINAL]
        panel.plot(ends, [at, at], color=theme.original, alpha=0.45, linewidth=4.5,
                   solid_capstyle="butt", zorder=1)  # fmt: skip
    # Originals last: they lie on top.
    for kind in (HIGH, ROBUST, LOW, ORIGINAL):
        if kind in points:
            _draw_point(panel, points[kind], kind, y + _LANES[kind], theme)


def _draw_point(panel: Axes, point: Point, kind: str, y: float, theme: Theme) -> None:
    look = _mark(kind, theme)
    panel.plot([point.low, point.high], [y, y], color=look["color"], linewidth=1.1, zorder=2)
    if point.doubted:
        look |= {"markerfacecolor": theme.background, "markeredgecolor": look["color"]}
        look |= {"markeredgewidth": 1.3}
    panel.plot([point.value], [y], zorder=3, **look)


def _mark(kind: str, theme: Theme) -> dict[str, Any]:
    colours = {ORIGINAL: theme.original, LOW: theme.low, HIGH: theme.high, ROBUST: theme.robust}
    # The rim keeps marks apart that lie on each other.
    return {
        "color": colours[kind], "marker": _MARKERS[kind], "markersize": _SIZES[kind],
        "linestyle": "none", "markeredgecolor": theme.background, "markeredgewidth": 0.8,
    }  # fmt: skip


def _label(figure: Figure, row: BoardRow, y: float, right: float, theme: Theme) -> None:
    rank = "" if row.rank is None else str(row.rank)
    _say(figure, _LEFT + 0.18, y, rank, theme.quiet, 8.5, "right")
    name, more = row.name, row.more
    shown = round((right - _LEFT - 0.45) / _CHARACTER) - len(name) - 2
    if more and len(more) > shown:
        # What tells rows apart stands at the end: parameters of a defence.
        begin = max(1, shown // 3)
        more = f"{more[:begin]}…{more[len(more) - (shown - begin - 1) :]}"
    text = figure.text(
        (_LEFT + 0.3) / _WIDTH, y / figure.get_figheight(), name, va="center", fontsize=9
    )
    if more:
        figure.text(1.0, 0.5, f"  {more}", transform=None, va="center", fontsize=8.5,
                    color=theme.quiet).set_transform(_behind(figure, text))  # fmt: skip


def _behind(figure: Figure, text: Any) -> Any:
    """Coordinates in which (1, 0.5) is where a text ends, at the middle of its height."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.transforms import BboxTransformTo

    canvas: Any = FigureCanvasAgg(figure)
    box = text.get_window_extent(canvas.get_renderer()).transformed(figure.transFigure.inverted())
    return BboxTransformTo(box) + figure.transFigure


def _name(row: BoardRow) -> str:
    return f"{row.name}  {row.more}" if row.more else row.name


def _numbers(row: BoardRow) -> tuple[str, str, str]:
    original, low, robust = (row.points.get(kind) for kind in (ORIGINAL, LOW, ROBUST))
    gap = f"{original.value - low.value:+.3f}" if original and low else ""
    mark = "?" if robust and robust.doubted else ""
    return (
        f"{original.value:.3f}" if original else "",
        gap.replace("-", "−"),
        f"{robust.value:.3f}{mark}" if robust else "",
    )


def _heading(section: BoardSection) -> str:
    scale = "full scale" if section.scale == "full" else f"{section.scale} scale (reduced)"
    parts = [section.dataset, scale, f"{section.images:,} test images"]
    if section.attacked and section.attacked != section.images:
        parts.append(f"{section.attacked:,} of them attacked")
    if section.epochs[1]:
        parts.append(_span(section.epochs, "epoch"))
    if section.seeds[1] > 1:
        parts.append(_span(section.seeds, "seed"))
    return "  ·  ".join(parts)


def _span(ends: tuple[int, int], what: str) -> str:
    low, high = ends
    if low != high:
        return f"{low} to {high} {what}s"
    return f"{low} {what}" if low == 1 else f"{low} {what}s"


def _note(board: Leaderboard, found: Sequence[BoardSection]) -> str:
    cuts = [
        f"{item.decomposition}, rescaling {item.rescaling}"
        for item in board.conditions.values()
        if item.cut
    ]
    attacks = [name for name, item in board.conditions.items() if item.is_attacked]
    says = [f"frequencies: {'; '.join(dict.fromkeys(cuts))}"] if cuts else []
    says += [f"gap: original − {name}" for kind, name in part_names(board).items() if kind == LOW]
    says += [f"robust: lowest under {', '.join(attacks)}"] if attacks else []
    rows = [row for section in found for row in section.rows]
    if any(point.doubted for row in rows for point in row.points.values()):
        says.append("hollow and ?: a reliability check of this score is flagged")
    ends = [point.low for row in rows for point in row.points.values()]
    if not all(map(math.isnan, ends)):
        seeds = [end for section in found for end in section.seeds]
        one_seed = _ONE_SEED.get(board.metric, "interval of the score")
        says.append(f"thin lines: 95% {mixed_note(min(seeds), max(seeds), one_seed)}")
    return "; ".join(says)


def _say(
    figure: Figure, x: float, y: float, text: str, colour: str, size: float,
    align: str = "left", *, weight: str = "normal",
) -> None:  # fmt: skip
    """Text at a place in inches from the lower left corner."""
    figure.text(
        x / _WIDTH, y / figure.get_figheight(), text, ha=align, va="center", color=colour,
        fontsize=size, fontweight=weight,
    )  # fmt: skip
