"""The consoles that commands print to."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# A pipe or file has no width; a table there must not be cut.
_WIDTH_WITHOUT_TERMINAL = 240


def plain_console(*, stderr: bool = False) -> Console:
    """A console on stdout or stderr that never guesses markup or colours from the text."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _WIDTH_WITHOUT_TERMINAL
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)
