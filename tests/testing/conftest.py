"""Plugins made for one test, and what contracts say of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hfcbench import hookimpl
from hfcbench.references import plural
from hfcbench.testing import PluginContract


def plugin_of(kind: str, factory: object) -> SimpleNamespace:
    """A plugin that declares one thing, called ``wrong``."""

    def hook(register):
        register("wrong", factory, version="1")

    hook.__name__ = f"hfcbench_register_{plural(kind)}"
    return SimpleNamespace(**{hook.__name__: hookimpl(hook)})


def broken_promises(contract: type[PluginContract], factory: object, **settings: object) -> dict:
    """Every test of a contract that fails, with its message."""
    made = contract.of(plugin_of(contract.kind, factory), "wrong")
    for name, value in settings.items():
        setattr(made, name, value)
    found = {}
    for name, call in made.promises().items():
        try:
            call()
        # What a wrong plugin raises itself fails its author's test just as well.
        except Exception as error:
            found[name] = str(error)
    return found


@pytest.fixture
def broken():
    return broken_promises
