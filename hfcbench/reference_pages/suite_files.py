"""The page on what a suite file may say."""

from __future__ import annotations

import types
from typing import Annotated, Any, Union, get_args, get_origin

import pydantic
from annotated_types import MinLen

from hfcbench.parameters import type_text
from hfcbench.reference_pages.markdown import code, page, prose, table
from hfcbench.runner.suite_schema import (
    DEFAULT_METRICS,
    DEFAULTS,
    BlockSchema,
    Combination,
    CurvesSchema,
    FullBlockSchema,
    Named,
    SamplesSchema,
    ScheduleSchema,
    SuiteSchema,
)
from hfcbench.types import Schedule

_PARTS: dict[type[pydantic.BaseModel], str] = {
    ScheduleSchema: "schedule",
    SamplesSchema: "samples",
    CurvesSchema: "curves",
}


def suite_files_page() -> str:
    """`suite-files.md`, from the models that suite files are checked by."""
    introduction = (
        "Every key of a suite's YAML file. What a block leaves out it takes from the top level of "
        "the file, and what that leaves out from the defaults here. "
        "[How to write a suite](../suites.md)"
    )
    inherited = set(BlockSchema.model_fields)
    parts = [
        _section(f"`{name}`", model, _part_defaults(model), ()) for model, name in _PARTS.items()
    ]
    sections = [
        _section("The file as a whole", SuiteSchema, _plain_defaults(SuiteSchema), inherited),
        "At the top level, any key of a block may stand as well, and counts for all blocks.",
        _section("A block", FullBlockSchema, _block_defaults(), ()),
        _metrics(),
        *parts,
    ]
    return page("Suite files", introduction, sections)


def _section(
    title: str,
    model: type[pydantic.BaseModel],
    defaults: dict[str, str],
    elsewhere: set[str] | tuple[()],
) -> str:
    rows = [
        (
            code(name),
            _text(field.annotation),
            defaults.get(name, ""),
            prose(field.description or ""),
        )
        for name, field in model.model_fields.items()
        if name not in elsewhere
    ]
    return f"## {title}\n\n{table(('key', 'value', 'default', 'meaning'), rows)}"


def _plain_defaults(model: type[pydantic.BaseModel]) -> dict[str, str]:
    """Defaults of a model's own fields."""
    return {
        name: "must be said" if field.is_required() else _value(field.default)
        for name, field in model.model_fields.items()
    }


def _block_defaults() -> dict[str, str]:
    values = {name: _value(value) for name, value in DEFAULTS.model_dump().items()}
    # The parts have sections, and defaults of their own.
    for name in _PARTS.values():
        values[name] = ""
    return {**values, "models": "must be said", "metrics": "by the datasets' task, see below"}


def _part_defaults(model: type[pydantic.BaseModel]) -> dict[str, str]:
    name = _PARTS[model]
    if model is ScheduleSchema:
        schedule = Schedule()
        return {key: _value(getattr(schedule, key)) for key in model.model_fields}
    given = getattr(DEFAULTS, name).model_dump(exclude_none=True)
    values = {key: _value(given[key]) if key in given else "all" for key in model.model_fields}
    # How many images are attacked and analysed is decided where suites are read.
    as_test = {"attack": "as `test`", "analysis": "as `test`"} if model is SamplesSchema else {}
    return values | as_test


def _metrics() -> str:
    rows = [
        (task, ", ".join(map(code, map(str, names)))) for task, names in DEFAULT_METRICS.items()
    ]
    return f"### Metrics where none are named\n\n{table(('task', 'metrics'), rows)}"


def _value(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, list | tuple):
        return code("[" + ", ".join(map(str, value)) + "]")
    return code(str(value))


def _text(annotation: Any) -> str:
    """A type as people read it; what is left out is None, which needs no word."""
    if set(get_args(annotation)) - {types.NoneType} == set(get_args(Named)):
        return "a name"
    if annotation == Combination:
        return "a name or a list of names"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(_text(each) for each in arguments if each is not types.NoneType)
    if origin is Annotated and any(isinstance(each, MinLen) for each in arguments[1:]):
        return f"{_text(arguments[0])}, at least one"
    if origin is list:
        inner = arguments[0]
        if inner == Named:
            return "names"
        if inner == Combination:
            return "combinations of names"
        return f"list of {_text(inner)}"
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return f"keys of {_PARTS.get(annotation, 'a block')}"
    if origin is dict:
        return "a mapping"
    if annotation is str:
        return "text"
    return prose(type_text(annotation))
