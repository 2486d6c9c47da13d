"""YAML that strangers wrote: plain values only, in bounded time and memory.

Beyond what PyYAML's safe loader refuses (tags that make Python objects) there are limits on length,
depth, and the number of values with every alias written out, which a small "billion laughs" file
would otherwise blow up; and no control characters, which could reach a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

MOST_CHARACTERS = 1 << 18
MOST_DEPTH = 50
MOST_VALUES = 100_000
MOST_CHARACTERS_OF_A_VALUE = 10_000
MOST_DIGITS = 40

_INTEGER = "tag:yaml.org,2002:int"
# All but tab and line feed of the control characters, the marks that turn the direction of
# writing, and halves of surrogate pairs, which are no text.
_UNPRINTABLE = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def compose(text: str) -> yaml.Node | None:
    """The nodes of a document within the limits, with lines, nothing constructed; None if empty.

    Raises:
        yaml.YAMLError: not YAML, or beyond a limit.
    """
    if len(text) > MOST_CHARACTERS:
        raise yaml.YAMLError(f"{len(text)} characters are more than the {MOST_CHARACTERS} allowed")
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    finally:
        loader.dispose()
    if node is not None:
        for number, inner in enumerate(_written_out(node, 1)):
            if number >= MOST_VALUES:
                raise _refused(
                    f"more than {MOST_VALUES} values, with every alias written out", node
                )
            _check(inner)
    return node


def construct(node: yaml.Node | None) -> Any:
    """The plain values of nodes from :func:`compose`, which are of no use afterwards.

    Raises:
        yaml.YAMLError: a tag that is not one of plain values, or a value that its tag refuses.
    """
    return None if node is None else _Loader("").construct_document(node)


class _Loader(yaml.SafeLoader):
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=_TOO_DEEP, problem_mark=mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        # A date without a thirteenth month, for one, is a ValueError of its own.
        try:
            return super().construct_object(node, deep)
        except (ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise _refused(str(error), node) from error


_TOO_DEEP = f"values inside values, more than {MOST_DEPTH} deep"


def _written_out(node: yaml.Node, depth: int) -> Iterator[yaml.Node]:
    """Every node, those behind an alias once for each alias."""
    if depth > MOST_DEPTH:
        raise _refused(_TOO_DEEP, node)
    yield node
    if isinstance(node, yaml.ScalarNode):
        return
    for child in node.value:
        for inner in child if isinstance(child, tuple) else (child,):
            yield from _written_out(inner, depth + 1)


def _check(node: yaml.Node) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a key must be a plain text", key)
    if not isinstance(node, yaml.ScalarNode):
        return
    most = MOST_DIGITS if node.tag == _INTEGER else MOST_CHARACTERS_OF_A_VALUE
    if len(node.value) > most:
        raise _refused(f"a value of {len(node.value)} characters, {most} are allowed", node)
    found = _UNPRINTABLE.search(node.value)
    if found is not None:
        raise _refused(f"the control character U+{ord(found[0]):04X} is not allowed", node)


def _refused(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
