"""Accuracy per epoch."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from matplotlib.colors import to_hex

from hfcbench.errors import UsageError
from hfcbench.reports.figures import palette
from hfcbench.reports.figures.drawing import Drawing, TableOutput, save
from hfcbench.reports.figures.suites import draw


def add_curves(builder: Any, end: float = 0.8, **training: Any) -> None:
    for component in ("original", "lfc@4", "lfc@8", "hfc@4", "hfc@8"):
        builder.curve(component, [0.1, 0.5, end], split="train", **training)
        builder.curve(component, [0.1, 0.4, end - 0.2], split="test", **training)


def study(build: ModuleType, suite: str, *, missing: int = 0, scale: str = "full") -> Any:
    builder = build.StudyBuilder(suite)
    for heuristics in ("vanilla", "label-shuffling"):
        add_curves(builder, heuristics=heuristics)
    return builder.study(missing=missing, scale=scale)


def svg(drawing: Drawing | TableOutput, folder: Path) -> str:
    return save(drawing, folder)[1].read_text(encoding="utf-8")


def test_fig3_draws_training_images_and_their_lfc(build: ModuleType, tmp_path: Path) -> None:
    drawing, table = draw(study(build, "paper/fig3"))
    assert isinstance(drawing, Drawing)
    assert isinstance(table, TableOutput)
    text = svg(drawing, tmp_path)
    for expected in ("accuracy (share of images)", "epoch", "label-shuffling", "lfc@8", "n = 200"):
        assert expected in text
    assert "hfc@4" not in text
    assert len(drawing.figure.axes) == 2
    assert drawing.figure.axes[0].get_ylim() == (0, 1)


def test_lines_are_of_the_palette_and_differ_without_colour(build: ModuleType) -> None:
    drawing, _ = draw(study(build, "paper/fig5"))
    assert isinstance(drawing, Drawing)
    lines = drawing.figure.axes[0].get_lines()
    assert {to_hex(line.get_color()).upper() for line in lines} <= set(palette.COLOURS)
    looks = {(line.get_linestyle(), line.get_marker()) for line in lines}
    assert len(looks) == len(lines) == 5


def test_lines_are_the_stored_values(build: ModuleType) -> None:
    drawing, _ = draw(study(build, "paper/fig3"))
    assert isinstance(drawing, Drawing)
    lines = {str(line.get_label()): line for line in drawing.figure.axes[0].get_lines()}
    assert list(lines["lfc@4"].get_xdata()) == [1, 2, 3]
    assert list(lines["lfc@4"].get_ydata()) == [0.1, 0.5, 0.8]


def test_table_is_of_the_last_epoch(build: ModuleType) -> None:
    _, table = draw(study(build, "paper/fig4"))
    assert isinstance(table, TableOutput)
    row = table.frame.iloc[0]
    assert (row["heuristics"], row["component"], row["epoch"]) == ("vanilla", "original", 3)
    assert (row["train"], row["test"]) == (0.8, pytest.approx(0.6))
    # Wilson, 160 of 200.
    assert row["train_low"] == pytest.approx(0.7391, abs=1e-4)
    assert row["train_high"] == pytest.approx(0.8496, abs=1e-4)
    assert row["gap"] == pytest.approx(0.2)
    assert len(table.frame) == 10


def test_seeds_are_averaged(build: ModuleType, tmp_path: Path) -> None:
    builder = build.StudyBuilder("paper/fig5")
    for seed, end in ((0, 0.7), (1, 0.8), (2, 0.9)):
        add_curves(builder, end, seed=seed)
    drawing, table = draw(builder.study())
    assert isinstance(table, TableOutput)
    row = table.frame.iloc[0]
    assert row["train"] == pytest.approx(0.8)
    # 0.8 + 0.248 is cut off.
    assert row["train_high"] == 1.0
    assert row["train_low"] == pytest.approx(0.8 - 4.302653 * 0.1 / 3**0.5, abs=1e-6)
    assert row["seeds"] == 3
    text = svg(drawing, tmp_path)
    assert "Student" in text
    assert "3 seeds (0, 1, 2)" in text


def test_fig6_shows_what_was_trained_on(build: ModuleType, tmp_path: Path) -> None:
    builder = build.StudyBuilder("paper/fig6")
    for heuristics in ("vanilla", "batchnorm"):
        for cut in (4, 8):
            add_curves(builder, heuristics=heuristics, trained_on=f"lfc@{cut}")
    drawing, table = draw(builder.study())
    assert isinstance(drawing, Drawing)
    assert isinstance(table, TableOutput)
    assert len(drawing.figure.axes) == 4
    assert [str(line.get_label()) for line in drawing.figure.axes[0].get_lines()] == [
        "original",
        "lfc@4",
    ]
    assert set(table.frame["component"]) == {"original", "lfc@4", "lfc@8"}


def test_one_figure_per_dataset(build: ModuleType) -> None:
    builder = build.StudyBuilder("paper/architectures")
    for dataset in ("mnist", "cifar10"):
        for model in ("lenet5", "vgg11"):
            add_curves(builder, dataset=dataset, model=model)
    assert [(type(one).__name__, one.name) for one in draw(builder.study())] == [
        ("Drawing", "architectures-mnist"),
        ("TableOutput", "architectures-mnist"),
        ("Drawing", "architectures-cifar10"),
        ("TableOutput", "architectures-cifar10"),
    ]


def test_seven_optimizers_fill_two_blocks(build: ModuleType) -> None:
    builder = build.StudyBuilder("paper/optimizers")
    for number in range(7):
        add_curves(builder, heuristics=f"optimizer:O{number}")
    drawing, _ = draw(builder.study())
    assert isinstance(drawing, Drawing)
    assert sum(panel.axison for panel in drawing.figure.axes) == 14


def test_same_study_same_bytes(build: ModuleType, tmp_path: Path) -> None:
    written = []
    for folder in ("a", "b"):
        outputs = draw(study(build, "paper/fig3"))
        paths = [path for output in outputs for path in save(output, tmp_path / folder)]
        written.append([path.read_bytes() for path in paths])
    assert written[0] == written[1]
    assert min(map(len, written[0])) > 300


def test_footnote_says_what_is_missing(build: ModuleType, tmp_path: Path) -> None:
    drawing, table = draw(study(build, "paper/fig3", missing=3, scale="quick"))
    text = " ".join(svg(drawing, tmp_path).split())
    assert "quick scale: not the study" in text
    assert isinstance(table, TableOutput)
    assert "3 of 5 results are missing" in table.note


def test_nothing_to_draw(build: ModuleType) -> None:
    with pytest.raises(UsageError) as caught:
        draw(build.StudyBuilder("paper/fig5").study(missing=9))
    assert "9 of 9 results are missing" in caught.value.what
    assert caught.value.hint == "hfcbench run paper/fig5"


def test_footnote_names_both_intervals_where_seeds_are_missing(build: ModuleType) -> None:
    builder = build.StudyBuilder("paper/fig5")
    for seed in (0, 1):
        add_curves(builder, heuristics="vanilla", seed=seed)
    add_curves(builder, heuristics="mixup", seed=0)
    _, table = draw(builder.study(missing=1))
    assert isinstance(table, TableOutput)
    assert "Student's t interval of the mean over seeds, or of one seed alone Wilson" in table.note
    assert list(table.frame["seeds"]) == [2] * 5 + [1] * 5
