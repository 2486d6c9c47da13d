"""Every error that hfcbench raises on purpose: what happened, where, and what mends it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HfcbenchError(Exception):
    """Base of all errors that the command line prints as one message.

    Args:
        what: what went wrong, where, in one sentence without a final newline.
        hint: what the user can do about it, a command where there is one.
    """

    def __init__(self, what: str, *, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return self.what if self.hint is None else f"{self.what}\n{self.hint}"

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries with executors; the default would drop the keyword.
        return _rebuild, (type(self), self.what, self.hint)


def _rebuild(kind: type[HfcbenchError], what: str, hint: str | None) -> HfcbenchError:
    return kind(what, hint=hint)


class UsageError(HfcbenchError):
    """A command, option or argument that makes no sense as given."""


class SpecificationError(UsageError):
    """A suite, component or parameter that cannot be run as written."""


class PluginError(HfcbenchError):
    """A plugin that is broken, misspelt, a duplicate, or declares something impossible."""


class DataError(HfcbenchError):
    """A dataset that is missing, unreadable or not what it should be."""


class StoreError(HfcbenchError):
    """A results database that cannot be opened, read or written."""


class NodeError(HfcbenchError):
    """A training or evaluation that could not be carried out."""


def nearest(name: str, valid: Iterable[str], *, most: int = 3) -> str:
    """The valid names closest to a misspelt one, as the end of an error message.

    Returns ``"did you mean 'a' or 'b'?"`` where something is close, otherwise all valid names.
    """
    names = sorted(valid)
    if not names:
        return "there is nothing to choose from"
    close = difflib.get_close_matches(name, names, n=most, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(repr(match) for match in close) + "?"
    return "valid: " + ", ".join(names)
