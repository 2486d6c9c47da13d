"""Labels are what people read and type; reading one back gives the same parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfcbench.errors import SpecificationError
from hfcbench.references import format_label, parse_label, split_combination

names = st.from_regex(r"[a-z][a-z_]{0,6}", fullmatch=True).filter(
    lambda name: name not in {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
)
values = st.one_of(
    st.none(), st.booleans(), st.integers(-1000, 1000), names, st.lists(st.integers(0, 9))
)


@given(st.dictionaries(names, values, min_size=1, max_size=4))
def test_a_label_reads_back(parameters):
    assert parse_label(format_label("attack", "pgd", None, parameters)) == ("pgd", parameters)


def test_inline_arguments_follow_the_name():
    assert format_label("model", "timm", "name", {"name": "resnet18"}) == "timm/resnet18"
    assert format_label("dataset", "folder", "path", {"path": "x/y"}) == "folder:x/y"


def test_combinations_split_outside_parentheses():
    assert split_combination("batchnorm+mixup(alpha=1e+0)") == ["batchnorm", "mixup(alpha=1e+0)"]


def test_a_name_without_closed_parentheses_is_left_to_the_registry():
    assert parse_label("pgd(40") == ("pgd(40", {})


@pytest.mark.parametrize("text", ["pgd([)", "pgd(steps=[)"])
def test_unreadable_parameters_are_refused(text):
    with pytest.raises(SpecificationError, match="cannot be read"):
        parse_label(text)
