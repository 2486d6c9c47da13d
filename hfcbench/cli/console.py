"""The consoles that commands print to."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# A pipe or file has no width; a table there must not be cut.
_WIDTH_WITHOUT_TERMINAL = 240


def plain_console(*, width: int | None = None) -> Console:
    """A console on stdout that never guesses markup or colours from the text."""
    from rich.console import Console

    if width is None and not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        width = _WIDTH_WITHOUT_TERMINAL
    return Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False)
