"""Reading suite files: YAML in, checked suite out, every complaint with its file and line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pydantic
import yaml

from hfcbench import untrusted_yaml
from hfcbench.errors import SpecificationError, nearest
from hfcbench.runner.suite_schema import (
    BlockSchema,
    CurvesSchema,
    SamplesSchema,
    ScheduleSchema,
    SuiteSchema,
)

Path = tuple[str | int, ...]

_SECTIONS: Mapping[str, type[pydantic.BaseModel]] = {
    "schedule": ScheduleSchema,
    "samples": SamplesSchema,
    "curves": CurvesSchema,
}
OVERRIDE_PLACE = "command line"


@dataclass(frozen=True)
class SuiteFile:
    """A checked suite with the line of each of its values.

    Attributes:
        name: what the user called it.
        file: the file's name, for messages.
        lines: the 1-based line of each value by its path, e.g. ``("blocks", 0, "models")``.
        overridden: paths whose values came from the command line.
    """

    name: str
    file: str
    suite: SuiteSchema
    lines: Mapping[Path, int]
    overridden: frozenset[Path] = frozenset()

    def place(self, path: Path) -> str:
        """``FILE:LINE`` of the innermost known value on a path, or ``command line``."""
        return _place(path, self.file, self.lines, self.overridden)

    def is_overridden(self, path: Path) -> bool:
        """Whether the value at ``path`` is the user's own word, from the command line."""
        return any(path[: len(given)] == given for given in self.overridden)

    def error(self, path: Path, problem: str, hint: str | None = None) -> SpecificationError:
        """A complaint about the value at ``path``."""
        return SpecificationError(f"{self.place(path)}: {problem}", hint=hint)


@dataclass
class _Document:
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    overridden: set[Path] = field(default_factory=set)


def read_suite(
    name: str, file: str, text: str, overrides: Sequence[tuple[Path, Any]] = ()
) -> SuiteFile:
    """Parse and check a suite.

    Args:
        name: the suite's name.
        file: what to call the file in messages.
        text: the YAML document.
        overrides: (path, value) pairs that replace what the file says, at the top level and in
            every block.

    Raises:
        SpecificationError: malformed YAML, an unknown key or a value that is not allowed, with
            file and line.
    """
    document = _parse(file, text)
    if not isinstance(document.data, dict):
        raise SpecificationError(f"{file}:1: a suite is a mapping with the keys title and blocks")
    for path, value in overrides:
        if path == ("scale",):
            _check_scale(document.data, file, value)
        _override(document, path, value)
    try:
        suite = SuiteSchema.model_validate(document.data)
    except pydantic.ValidationError as error:
        raise _complaint(error, file, document) from error
    return SuiteFile(name, file, suite, document.lines, frozenset(document.overridden))


def _parse(file: str, text: str) -> _Document:
    document = _Document()
    try:
        node = untrusted_yaml.compose(text)
        if node is not None:
            # Before construction, which writes merged keys (<<) into the nodes.
            _mark_lines(node, (), document.lines, file)
        document.data = untrusted_yaml.construct(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise SpecificationError(f"{file}:{line}: not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise SpecificationError(f"{file}: not valid YAML: {error}") from error
    return document


def _mark_lines(node: yaml.Node, path: Path, lines: dict[Path, int], file: str) -> None:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _mark_lines(child, (*path, index), lines, file)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            inner = (*path, str(key.value))
            if inner in lines:
                raise SpecificationError(
                    f"{file}:{key.start_mark.line + 1}: '{key.value}' is given twice, "
                    f"first in line {lines[inner]}"
                )
            _mark_lines(child, inner, lines, file)
            lines[inner] = key.start_mark.line + 1


def _override(document: _Document, path: Path, value: Any) -> None:
    """Set a value at the top level; blocks lose theirs, so that it holds everywhere."""
    if path[0] != "blocks":
        _remove(document.data.get("quick"), path)
        for block in _blocks(document.data):
            _remove(block, path)
            _remove(block.get("quick"), path)
    target = document.data
    for step in path[:-1]:
        target = _descend(target, step, path)
    _assign(target, path[-1], value, path)
    document.overridden.add(path)


def _blocks(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    blocks = data.get("blocks")
    return (
        [block for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    )


def _check_scale(data: Mapping[str, Any], file: str, wanted: object) -> None:
    """A scale is what the suite's author says that it is: others cannot make one up."""
    own = data.get("scale", "full")
    if wanted == "full" and own != "full":
        raise SpecificationError(f"{file}: this suite is made for the scale '{own}' only")
    prepared = any("quick" in layer for layer in (data, *_blocks(data)))
    if wanted == "quick" and own == "full" and not prepared:
        raise SpecificationError(
            f"{file}: this suite does not say what it is at the scale 'quick'",
            hint="shrink it with options such as --epochs and --train-samples",
        )


def _descend(target: Any, step: str | int, path: Path) -> Any:
    if isinstance(target, list) and isinstance(step, int) and step < len(target):
        return target[step]
    if isinstance(target, dict) and isinstance(step, str):
        if target.get(step) is None:
            target[step] = {}
        return target[step]
    raise _no_such_path(path)


def _assign(target: Any, step: str | int, value: Any, path: Path) -> None:
    if isinstance(target, list) and isinstance(step, int) and step < len(target):
        target[step] = value
        return
    if not (isinstance(target, dict) and isinstance(step, str)):
        raise _no_such_path(path)
    target[step] = value


def _no_such_path(path: Path) -> SpecificationError:
    return SpecificationError(
        f"{OVERRIDE_PLACE}: the suite has nothing at '{'.'.join(map(str, path))}' to override"
    )


def _remove(block: Any, path: Path) -> None:
    for step in path[:-1]:
        if not isinstance(block, dict) or step not in block:
            return
        block = block[step]
    if isinstance(block, dict):
        block.pop(path[-1], None)


def _complaint(
    error: pydantic.ValidationError, file: str, document: _Document
) -> SpecificationError:
    first = _most_telling(error)
    path = tuple(first["loc"])
    known = _known_prefix(path, document)
    place = _place(known, file, document.lines, document.overridden)
    where = ".".join(str(step) for step in known)
    if first["type"] == "extra_forbidden":
        section = _SECTIONS.get(str(path[-2])) if len(path) > 1 else SuiteSchema
        fields = (section or BlockSchema).model_fields
        return SpecificationError(
            f"{place}: there is no key '{path[-1]}' here; {nearest(str(path[-1]), fields)}"
        )
    if first["type"] == "value_error":
        where_said = place if known else f"{file}:1"
        return SpecificationError(f"{where_said}: {first['ctx']['error']}")
    if first["type"] == "missing":
        return SpecificationError(f"{place}: the key '{path[-1]}' is missing")
    return SpecificationError(f"{place}: '{where}': {first['msg']}, not {first['input']!r}")


def _most_telling(error: pydantic.ValidationError) -> Any:
    """A misspelt key before the key that it left missing; of a union's complaints the deepest."""
    ranks = {"extra_forbidden": 2, "string_type": 0}
    return max(error.errors(), key=lambda one: (ranks.get(one["type"], 1), len(one["loc"])))


def _known_prefix(path: Path, document: _Document) -> Path:
    """The longest prefix that names a place: pydantic adds the names of union members."""
    known: Path = ()
    for step in path:
        if (*known, step) in document.lines or _is_overridden((*known, step), document.overridden):
            known = (*known, step)
    return known


def _is_overridden(path: Path, overridden: set[Path] | frozenset[Path]) -> bool:
    return any(path[: len(given)] == given or given[: len(path)] == path for given in overridden)


def _place(
    path: Path, file: str, lines: Mapping[Path, int], overridden: set[Path] | frozenset[Path]
) -> str:
    prefixes = [path[:length] for length in range(len(path), -1, -1)]
    if any(prefix in overridden for prefix in prefixes):
        return OVERRIDE_PLACE
    return next((f"{file}:{lines[prefix]}" for prefix in prefixes if prefix in lines), file)
