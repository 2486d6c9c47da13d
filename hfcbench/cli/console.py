"""The consoles that commands print to, and what the user's terminal can do."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# A pipe or file has no width; nothing there must be cut or wrapped.
_WIDTH_WITHOUT_TERMINAL = 100_000


def terminal_width() -> int | None:
    """Letters in a line of the terminal; None where the output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def is_styled() -> bool:
    """Whether to print bold and in colours: on a terminal, or where FORCE_COLOR says so.

    NO_COLOR (https://no-color.org) always wins.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def plain_console() -> Console:
    """A console on stdout that never guesses markup or colours from the text."""
    from rich.console import Console

    return Console(
        file=sys.stdout,
        width=terminal_width() or _WIDTH_WITHOUT_TERMINAL,
        # Asking for colours in a file must not bring the live display there.
        force_terminal=sys.stdout.isatty(),
        color_system="standard" if is_styled() else None,
        no_color=not is_styled(),
        markup=False,
        highlight=False,
        emoji=False,
    )
