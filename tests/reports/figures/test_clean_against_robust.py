"""The figure of a whole database's accuracies: what is drawn where, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from hfcbench.errors import UsageError
from hfcbench.reports.figures.clean_against_robust import MOST_GROUPS, draw_tradeoff
from hfcbench.reports.figures.drawing import check_ending, save_figure
from hfcbench.results.queries.conditions import KnownCondition
from hfcbench.results.queries.tradeoff import COLUMNS, Tradeoff

LOW = KnownCondition(
    1, "1", "test", "none", None, "none", None, None,
    "lfc@8", "lfc", 8.0, None, "fft-radial", "1", "none",
)  # fmt: skip
ROW = {
    "group": 1, "dataset": "pets", "scale": "full", "split": "test", "n": 100, "n_attacked": 40,
    "model": "lenet5", "heuristics": "vanilla", "trained_on": "original", "defence": "none",
    "seed": 0, "epsilon": 0.03, "front": "no", "three_way_front": "no", "flags": "",
    "attacked_by": "pgd@0.03",
}  # fmt: skip


def row(clean: float, robust: float, lfc: float = 0.5, **changes: Any) -> dict[str, Any]:
    values = {"clean": clean, "robust": robust, "lfc": lfc}
    ends = {f"{name}_low": value - 0.05 for name, value in values.items()}
    ends |= {f"{name}_high": value + 0.05 for name, value in values.items()}
    return ROW | values | ends | changes


def found(*rows: dict[str, Any], low: KnownCondition | None = LOW) -> Tradeoff:
    return Tradeoff(pd.DataFrame(list(rows), columns=list(COLUMNS)), 0.03, low, ())


def key_of(panel: Axes) -> list[str]:
    legend = panel.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def dashed(panel: Axes) -> list[tuple[float, float]]:
    (line,) = [line for line in panel.get_lines() if line.get_linestyle() == "--"]
    return list(zip(*line.get_data(), strict=True))


def panels(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if "clean" in axes.get_xlabel()]


def test_points_fronts_and_names() -> None:
    figure = draw_tradeoff(
        found(
            row(0.9, 0.1, 0.8, seed=0, front="yes", three_way_front="yes"),
            row(0.8, 0.2, 0.7, seed=1, front="yes", three_way_front="yes"),
            row(0.7, 0.1, 0.9, seed=2, three_way_front="yes"),
            row(0.6, 0.1, seed=3),
            row(0.5, 0.3, seed=4, front="flagged", three_way_front="flagged", flags="pgd: x"),
            row(0.4, 0.05, float("nan"), seed=5, three_way_front="unknown"),
        )
    )
    (panel,) = panels(figure)
    # The line goes down from one point of the front to the next.
    assert dashed(panel) == [(0.8, 0.2), (0.9, 0.1)]
    assert [text.get_text() for text in panel.texts] == ["6", "5", "4", "3", "2", "1"]
    assert key_of(panel) == [
        "front of clean and robust",
        "front of clean, LFC and robust",
        "robust accuracy in doubt",
        "LFC accuracy unknown",
        *(f"{number + 1}  seed {number}" for number in range(6)),
    ]
    assert panel.get_ylabel() == "robust accuracy, epsilon 0.03\n(share of images)"
    title = panel.get_title(loc="left").replace("\n", " ")
    assert title == (
        "100 images of pets (test, full), 40 of them attacked; lenet5; vanilla; pgd@0.03"
    )
    unknown, known = panel.collections[-2:]
    assert unknown.get_offsets().tolist() == [[0.4, 0.05]]
    assert known.get_array().tolist() == [0.8, 0.7, 0.9, 0.5, 0.5]
    (bar,) = [axes for axes in figure.axes if axes is not panel]
    assert bar.get_xlabel() == "accuracy on lfc@8 (share of images)"
    assert bar.get_xlim() == (0.5, 0.9)


def test_of_many_points_those_on_a_front_are_named_and_equal_ones_together() -> None:
    many = [row(0.5 - 0.01 * seed, 0.1, seed=seed) for seed in range(20)]
    best = [row(0.9, 0.4, seed=seed, front="yes") for seed in (20, 21)]
    (panel,) = panels(draw_tradeoff(found(*best, *many)))
    assert [text.get_text() for text in panel.texts] == ["1, 2"]
    assert key_of(panel)[1:] == ["1  seed 20", "2  seed 21"]


def test_every_group_has_a_panel() -> None:
    groups = [row(0.9, 0.1, group=group, n=100 * group) for group in (1, 2)]
    first, second = panels(draw_tradeoff(found(*groups, low=None)))
    assert first.get_title(loc="left").startswith("100 images")
    assert second.get_title(loc="left").startswith("200 images")


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(UsageError, match="nothing to draw"):
        draw_tradeoff(found())
    groups = [row(0.9, 0.1, group=group) for group in range(MOST_GROUPS + 1)]
    with pytest.raises(UsageError, match=r"9 groups .* too many") as caught:
        draw_tradeoff(found(*groups))
    assert "--dataset" in str(caught.value)


def test_files_have_the_format_that_their_name_says(tmp_path: Path) -> None:
    figure = draw_tradeoff(found(row(0.9, 0.1), row(0.5, 0.05, float("nan"), seed=1)))
    for name in ("a.png", "new/b.svg"):
        save_figure(figure, tmp_path / name)
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG"
    text = (tmp_path / "new/b.svg").read_text(encoding="utf-8")
    assert "clean accuracy (share of images)" in text
    assert "Wilson" in text
    with pytest.raises(UsageError, match=r"cannot be drawn to 'c.pdf'\nname a file"):
        check_ending(Path("c.pdf"))
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UsageError, match=r"folder.png' cannot be written: Is a directory"):
        save_figure(figure, tmp_path / "folder.png")
