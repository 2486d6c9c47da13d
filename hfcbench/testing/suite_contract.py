"""What a suite promises."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from hfcbench.errors import HfcbenchError
from hfcbench.plugins import BUILTIN_MODULES, Plugins, load_plugins
from hfcbench.references import Kind
from hfcbench.runner.plan import Plan
from hfcbench.runner.session import Session, Settings
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.types import DataLocation


class SuiteContract(PluginContract):
    """Tests of a suite: that it can be planned. Nothing is trained.

    Attributes:
        location: where the files of its datasets lie, if they have any.
        others: further plugins that it names parts of, by any name.
    """

    kind: ClassVar[Kind] = "suite"
    location: DataLocation = DataLocation()
    others: Mapping[str, object] = MappingProxyType({})

    def test_it_expands_to_a_plan(self) -> None:
        """Every name in it is known, every value in range, and something is evaluated."""
        plan = self._plan()
        if not any(node.evaluations for node in plan.nodes):
            raise self.fail("evaluates nothing")

    def test_the_same_suite_is_the_same_plan(self) -> None:
        """Or nothing of it would ever count as done."""
        first, again = ([node.training.identity for node in self._plan().nodes] for _ in range(2))
        if first != again:
            raise self.fail("is planned differently at a second time")

    def _plan(self) -> Plan:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(str(Path(folder) / "none.db"), self.location, Path(folder))
            try:
                return Session(self._all_plugins(), settings).plan(self.registration.name)
            except HfcbenchError as error:
                raise self.fail(f"cannot be planned: {error.what}", hint=error.hint) from error

    def _all_plugins(self) -> Plugins:
        """The built-ins with this plugin, whatever else is installed."""
        own = {} if getattr(self.plugin, "__name__", "") in BUILTIN_MODULES else {"it": self.plugin}
        return load_plugins({**self.others, **own}, installed=())
