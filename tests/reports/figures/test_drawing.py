"""Files of drawings and tables."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import pandas as pd
import pytest
from PIL import Image

from hfcbench.reports.figures.drawing import (
    Drawing,
    TableOutput,
    file_name,
    house_style,
    new_figure,
    save,
)


def drawing(title: str = "a title") -> Drawing:
    with house_style():
        figure = new_figure(4, 3, title, "a footnote")
        figure.subplots().plot([0, 1], [0, 1], color="#0072B2")
    return Drawing("rho=0.25", figure)


def test_drawings_are_png_and_svg(tmp_path: Path) -> None:
    png, svg = save(drawing(), tmp_path / "new")
    assert (png.name, svg.name) == ("rho=0.25.png", "rho=0.25.svg")
    with Image.open(png) as image:
        assert image.size == (600, 450)
        assert len(image.getcolors(maxcolors=100_000) or []) > 10
    text = svg.read_text(encoding="utf-8")
    assert "a title" in text
    assert "a footnote" in text


def test_same_drawing_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in save(drawing(), tmp_path / "a")]
    with matplotlib.rc_context({"font.size": 20, "svg.hashsalt": "other"}):
        second = [path.read_bytes() for path in save(drawing(), tmp_path / "b")]
    assert first == second
    assert b"<dc:date>" not in first[1]


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    one = drawing()
    first = [path.read_bytes() for path in save(one, tmp_path)]
    assert [path.read_bytes() for path in save(one, tmp_path)] == first


def test_settings_come_back() -> None:
    before = dict(matplotlib.rcParams)
    drawing()
    assert dict(matplotlib.rcParams) == before


def test_dollars_are_no_formula(tmp_path: Path) -> None:
    _, svg = save(drawing("costs $x_{ and <b>"), tmp_path)
    assert "costs $x_{ and &lt;b&gt;" in svg.read_text(encoding="utf-8")


def test_tables_are_csv_and_markdown(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"model": ["a|b", "c"], "test": [0.5124, 0.25], "test_low": [0.48, float("nan")]}
    ).assign(test_high=[0.544, float("nan")], n=200)
    csv, text = save(TableOutput("t", frame, "a note"), tmp_path)
    assert csv.read_text().splitlines()[:2] == [
        "model,test,test_low,test_high,n",
        "a|b,0.5124,0.48,0.544,200",
    ]
    assert text.read_text().splitlines() == [
        "| model | test | n |",
        "| --- | --- | --- |",
        "| a\\|b | 0.512 [0.480, 0.544] | 200 |",
        "| c | 0.250 | 200 |",
        "",
        "a note",
    ]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("fig5", ""), "fig5"),
        (("table2", "pgd(steps=10)"), "table2-pgd-steps=10"),
        (("fig3", "../../etc", "a/b"), "fig3-etc-a-b"),
    ],
)
def test_file_names_are_plain(parts: tuple[str, ...], expected: str) -> None:
    assert file_name(*parts) == expected
