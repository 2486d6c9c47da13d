"""Keeping out of a bug report what is nobody's business."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from hfcbench.masking import masked


def public(text: str, *, homes: Iterable[Path] | None = None) -> str:
    """The text without passwords and tokens, and with ``~`` for the user's home folder.

    Args:
        homes: names of that folder; by default as the system calls it, and where links lead.
    """
    if homes is None:
        homes = {Path.home(), Path.home().resolve()}
    # The longer name first: one may lie in the other.
    for home in sorted(map(str, homes), key=len, reverse=True):
        if len(home) > 1:
            text = re.sub(re.escape(home) + r"(?![\w.-])", "~", text)
    return masked(text)
