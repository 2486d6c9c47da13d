"""What the tests of figures share."""

from __future__ import annotations

from types import ModuleType

import build_study
import pytest


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """The study builder of build_study.py."""
    return build_study
