"""Light and dark backgrounds for figures that stand on pages of either kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from matplotlib import style

from hfcbench.reports.figures.drawing import house_style


@dataclass(frozen=True)
class Theme:
    """Colours of a figure, each readable on its background.

    Attributes:
        text, quiet: of what is read first, and of what explains it.
        rule: of the grid and of what separates rows.
        original, low, high, robust: of a score on originals, LFCs, HFCs, and under attack; apart
            for colour-blind readers (Okabe and Ito, 2008, lighter on dark).
    """

    background: str
    text: str
    quiet: str
    rule: str
    original: str
    low: str
    high: str
    robust: str


THEMES: Mapping[str, Theme] = MappingProxyType(
    {
        "light": Theme(
            background="#ffffff",
            text="#1f2328",
            quiet="#59636e",
            rule="#d1d9e0",
            original="#0072B2",
            low="#E69F00",
            high="#009E73",
            robust="#D55E00",
        ),
        "dark": Theme(
            background="#0d1117",
            text="#f0f6fc",
            quiet="#9198a1",
            rule="#30363d",
            original="#56B4E9",
            low="#F0B93A",
            high="#2EC492",
            robust="#FF7B3D",
        ),
    }
)


@contextmanager
def themed(theme: Theme) -> Iterator[None]:
    """The house style in a theme's colours; the caller's settings come back afterwards."""
    colours = {
        "figure.facecolor": theme.background,
        "axes.facecolor": theme.background,
        "savefig.facecolor": theme.background,
        "text.color": theme.text,
        "axes.labelcolor": theme.quiet,
        "axes.edgecolor": theme.rule,
        "xtick.color": theme.quiet,
        "ytick.color": theme.text,
        "grid.color": theme.rule,
        "grid.alpha": 1.0,
    }
    with house_style(), style.context(colours):
        yield
