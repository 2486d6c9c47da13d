from __future__ import annotations

import pytest

from hfcbench.metrics import average_precision, average_recall


@pytest.fixture
def registry_metrics() -> dict[str, type]:
    """What the built-in modules register, by name."""
    found: dict[str, type] = {}
    for module in (average_precision, average_recall):
        module.hfcbench_register_metrics(
            lambda name, factory, *, version: found.update({name: factory})
        )
    return found
