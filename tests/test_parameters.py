"""The signature is the schema."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Interval

from hfcbench.errors import SpecificationError
from hfcbench.parameters import ParameterSchema


@dataclass(frozen=True)
class Example:
    steps: Annotated[int, Ge(1)] = 20
    share: Annotated[float, Interval(gt=0, le=1)] = 0.1
    norm: Literal["l2", "linf"] = "linf"
    options: dict[str, float] = field(default_factory=dict)


@pytest.fixture
def schema() -> ParameterSchema:
    return ParameterSchema(Example, "attack 'example'")


def test_defaults_are_filled_in(schema):
    assert schema.validate({"steps": 3}) == {
        "steps": 3,
        "share": 0.1,
        "norm": "linf",
        "options": {},
    }


def test_numbers_written_as_text_are_read(schema):
    assert schema.validate({"share": "1e-2"})["share"] == 0.01


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"step": 3}, "attack 'example' has no parameter 'step'; did you mean 'steps'?"),
        ({"steps": 0}, "'steps': Input should be greater than or equal to 1, not 0"),
        ({"share": 2.0}, "'share': Input should be less than or equal to 1, not 2.0"),
        ({"norm": "l3"}, "'norm': Input should be 'l2' or 'linf', not 'l3'"),
        ({"steps": "many"}, "not 'many'"),
    ],
)
def test_wrong_values_are_named_with_what_is_allowed(schema, values, message):
    with pytest.raises(SpecificationError) as raised:
        schema.validate(values)
    assert message in str(raised.value)


def test_descriptions_show_types_ranges_and_defaults(schema):
    assert [(info.name, info.type, info.default) for info in schema.describe()] == [
        ("steps", "int >= 1", "20"),
        ("share", "float > 0 and <= 1", "0.1"),
        ("norm", "'l2' or 'linf'", "'linf'"),
        ("options", "dict of str, float", "{}"),
    ]


def test_a_missing_value_is_named():
    def needs(path: str) -> None: ...

    with pytest.raises(SpecificationError, match="'path'"):
        ParameterSchema(needs, "dataset 'folder'").validate({})


def test_only_changed_values_are_shown(schema):
    values = schema.validate({"share": 0.5})
    assert schema.changed(values) == {"share": 0.5}
