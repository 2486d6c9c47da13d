"""Passwords and tokens in texts that others will read."""

from __future__ import annotations

import re

_HIDDEN = "***"
_SECRETS = (
    # A password holds anything but spaces, an @ included.
    (re.compile(r"(://[^\s:/@]*):\S*@"), rf"\1:{_HIDDEN}@"),
    # Before the host of a web address stands a token, if anything.
    (re.compile(r"(https?://)[^\s/@]+@"), rf"\1{_HIDDEN}@"),
    (
        re.compile(r"(?i)\b((?:\w*(?:password|passwd|pwd|token|secret|api_?key))=)[^\s&;]+"),
        rf"\1{_HIDDEN}",
    ),
)


def masked(text: str) -> str:
    """The text with ``***`` in place of passwords and tokens."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text
