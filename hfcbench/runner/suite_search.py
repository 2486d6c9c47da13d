"""Suites by name or path, and what they include."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hfcbench.errors import SpecificationError
from hfcbench.registry import Registry
from hfcbench.runner.suite_file import SuiteFile, read_suite

Overrides = Sequence[tuple[Any, Any]]


def suite_files(
    suite: str, overrides: Overrides, registry: Registry, _within: tuple[str, ...] = ()
) -> list[SuiteFile]:
    """The suite, or all that it includes, read and checked.

    Args:
        suite: a registered name, or the path of a YAML file.
        overrides: apply to every file that has blocks.

    Raises:
        SpecificationError: a suite that is not there or is no suite, or that includes itself.
    """
    name, file, text = _source(suite, registry)
    bare = read_suite(name, file, text)
    if not bare.suite.includes:
        return [read_suite(name, file, text, overrides)]
    found: list[SuiteFile] = []
    for position, included in enumerate(bare.suite.includes):
        if included in (*_within, suite):
            raise bare.error(("includes", position), f"'{included}' would include itself")
        try:
            found += suite_files(included, overrides, registry, (*_within, suite))
        except SpecificationError as error:
            if registry.find("suite", included) is None and not _is_path(included):
                raise bare.error(("includes", position), error.what, error.hint) from error
            raise
    return found


def included_suites(suite: str, registry: Registry) -> list[str]:
    """The suites with blocks of their own that a suite stands for: often only itself.

    Raises:
        SpecificationError: a suite that is not there or is no suite, or that includes itself.
    """
    suite_files(suite, (), registry)
    includes = read_suite(*_source(suite, registry)).suite.includes
    return [name for item in includes for name in included_suites(item, registry)] or [suite]


def _source(suite: str, registry: Registry) -> tuple[str, str, str]:
    """Name, file name and text."""
    if _is_path(suite):
        path = Path(suite)
        try:
            return path.stem, suite, path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SpecificationError(f"the suite file {suite} cannot be read: {error}") from error
    source = registry.get("suite", suite).factory()
    return suite, source.name, source.read_text(encoding="utf-8")


def _is_path(suite: str) -> bool:
    return suite.endswith((".yaml", ".yml"))
