"""What contract tests raise."""

from __future__ import annotations

from hfcbench.errors import HfcbenchError


class ContractError(HfcbenchError):
    """A plugin does not do what its kind promises; the message says what it did instead."""
