"""Tables that fit a width, by hand and by law."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from hfcbench.cli.fitting import Column, fit

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), max_size=30)
TEXTS = st.lists(WORDS, max_size=4).map(" ".join)


def test_decimal_points_stand_in_one_line():
    column = Column("value", ["1", "20.5", "-3.25", "NaN", "", "1.5e-05", "0.799 [0.773, 0.823]"])
    assert column.numeric
    points = {cell.index(".") for cell in column.aligned if "." in cell.partition(" [")[0]}
    assert len(points) == 1
    (point,) = points
    assert column.aligned[0][:point].endswith("1")
    assert column.aligned[3][:point].endswith("NaN")
    assert len({len(cell) for cell in column.aligned}) == 1


@pytest.mark.parametrize("cells", [["1.2.3"], ["resnet18"], ["3", "none"], ["", ""], ["12ab"]])
def test_what_is_no_number_is_text(cells):
    assert not Column("name", cells).numeric


def test_all_fits_where_there_is_room_or_no_terminal():
    columns = [Column("model", ["resnet18", "vgg"]), Column("n", ["10", "5"])]
    for width in (None, 12):
        found = fit(columns, width)
        assert (list(found.widths), list(found.dropped)) == ([8, 2], [])


def test_the_least_important_goes_first_and_is_named():
    columns = [Column(name, ["x" * 8]) for name in ("a", "b", "c", "d")]
    assert fit(columns, 28, ["b", "c"]).dropped == ["b"]
    assert fit(columns, 18, ["b", "c"]).dropped == ["b", "c"]
    # What is not named goes from the right; the first one stays.
    assert fit(columns, 9, ["b"]).dropped == ["b", "c", "d"]
    assert fit(columns, 3, ["a"]).dropped == ["b", "c", "d"]


def test_a_column_comes_back_where_there_is_room_again():
    columns = [Column("a", ["x"]), Column("small", ["y"]), Column("wide", ["z" * 15])]
    assert fit(columns, 10, ["small", "wide"]).dropped == ["wide"]


def test_words_wrap_and_intervals_stay_whole():
    column = Column("original [95% CI]", ["0.799 [0.773, 0.823]"])
    assert column.narrowest == 14
    assert column.block(column.cells[0], 14) == ["         0.799", "[0.773, 0.823]"]
    attacked = Column("pgd(steps=20)@0.03", ["0.5"])
    assert attacked.narrowest == 13
    assert attacked.block(attacked.heading, 15) == ["  pgd(steps=20)", "          @0.03"]
    text = Column("description", ["Round pixels to levels."])
    assert text.block(text.cells[0], 12) == ["Round pixels", "to levels.  "]
    assert text.block("a" * 30, 12) == ["a" * 12, "a" * 12, "a" * 6 + " " * 6]


def test_words_are_broken_only_where_there_is_no_room():
    columns = [Column("claim", ["a" * 24]), Column("statement", ["of words " * 9])]
    assert fit(columns, 60).widths[0] == 24
    assert fit(columns, 31).widths[0] == 20


@given(
    st.lists(st.tuples(WORDS, st.lists(TEXTS, min_size=3, max_size=3)), min_size=1, max_size=6),
    st.integers(20, 120),
)
def test_no_line_is_wider_than_the_terminal_and_no_letter_is_lost(table, width):
    columns = [Column(heading, cells) for heading, cells in table]
    found = fit(columns, width)
    assert len(found.columns) + len(found.dropped) == len(columns)
    for column, room in zip(found.columns, found.widths, strict=True):
        for text in (column.heading, *column.cells):
            lines = column.block(text, room)
            assert {cell_len(line) for line in lines} <= {room}
            assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)
    assert sum(found.widths) + 2 * (len(found.widths) - 1) <= width
