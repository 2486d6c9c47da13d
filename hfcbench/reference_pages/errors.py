"""The page on errors and exit codes."""

from __future__ import annotations

from collections.abc import Iterator

from hfcbench.cli import main
from hfcbench.errors import HfcbenchError, UsageError
from hfcbench.reference_pages.docstrings import description_of
from hfcbench.reference_pages.markdown import code, page, prose, table

_MEANINGS = {
    0: "Everything that was asked for is done, or was done before.",
    main.EXIT_FAILED: "Something failed: a part of a run, a check, or an error of the table below.",
    main.EXIT_USAGE: "The command, its options or a suite cannot be carried out as written.",
    main.EXIT_INTERRUPTED: "Interrupted by Ctrl-C; what was finished is stored.",
}


def errors_page() -> str:
    """`errors.md`, from the classes of errors and the program's exit codes."""
    introduction = (
        "An error is one message on standard error: what is wrong and where, the nearest valid "
        "name, and the command that mends it. `hfcbench --debug COMMAND` shows the "
        "traceback as well."
    )
    codes = [(str(number), text) for number, text in sorted(_MEANINGS.items())]
    classes = [
        (
            code(f"hfcbench.errors.{kind.__name__}"),
            _base(kind),
            prose(_first(kind)),
            str(_exit(kind)),
        )
        for kind in _kinds(HfcbenchError)
    ]
    sections = [
        "## Exit codes",
        table(("code", "means"), codes),
        "## Errors",
        "What Python code raises, and what the command line makes of it.",
        table(("error", "is a", "means", "exit code"), classes),
    ]
    return page("Errors and exit codes", introduction, sections)


def _kinds(kind: type[HfcbenchError]) -> Iterator[type[HfcbenchError]]:
    """A class of errors and those below it that ``hfcbench.errors`` has, in their order there."""
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == HfcbenchError.__module__:
            yield from _kinds(below)


def _first(kind: type[HfcbenchError]) -> str:
    return description_of(kind).text


def _base(kind: type[HfcbenchError]) -> str:
    return code(kind.__mro__[1].__name__)


def _exit(kind: type[HfcbenchError]) -> int:
    return main.EXIT_USAGE if issubclass(kind, UsageError) else main.EXIT_FAILED
