"""Everything that one invocation opens: database, datasets, device, executor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hfcbench.errors import SpecificationError
from hfcbench.plugins import Plugins
from hfcbench.references import parse_label
from hfcbench.results.opening import database_exists, open_store
from hfcbench.results.records import FailureRecord
from hfcbench.runner.dataset_access import DatasetAccess
from hfcbench.runner.expansion import expand
from hfcbench.runner.plan import Plan, Remaining, make_plan, remaining
from hfcbench.runner.preflight import check_attackable
from hfcbench.runner.progress import ProgressDisplay
from hfcbench.runner.run import GRACE_SECONDS, Run
from hfcbench.runner.suite_file import SuiteFile, read_suite
from hfcbench.runner.suite_search import suite_files
from hfcbench.runner.tasks import RunSummary
from hfcbench.runner.worker import TaskWorker
from hfcbench.types import DataLocation

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Settings:
    """Where an invocation reads, computes and writes.

    Attributes:
        database: an SQLite file or a SQLAlchemy URL.
        artifacts: the folder for checkpoints; None puts it beside the database file.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        executor: a registered executor's label.
        executor_parameters: further parameters of the executor, beside those in the label.
        grace_seconds: how long after its last sign of life another process that shares the
            database is taken to be dead; equal for all of them.
    """

    database: str
    location: DataLocation
    cache_root: Path
    artifacts: Path | None = None
    device: str = "auto"
    executor: str = "in-process"
    executor_parameters: Mapping[str, Any] = field(default_factory=dict)
    grace_seconds: float = GRACE_SECONDS

    @property
    def artifacts_folder(self) -> Path:
        if self.artifacts is not None:
            return self.artifacts
        beside = Path() if "://" in self.database else Path(self.database).parent
        return beside / "checkpoints"


class Session:
    """Plans and runs suites with one set of plugins and settings."""

    def __init__(self, plugins: Plugins, settings: Settings) -> None:
        self.plugins = plugins
        self.settings = settings

    @cached_property
    def datasets(self) -> DatasetAccess:
        return DatasetAccess(
            self.plugins.registry, self.settings.location, self.settings.cache_root
        )

    def plan(self, suite: str, overrides: Sequence[tuple[Any, Any]] = ()) -> Plan:
        """Read, check and expand a suite.

        Raises:
            SpecificationError: the suite is not there, or says something that cannot be run.
            DataError: one of its datasets is missing.
        """
        files = suite_files(suite, overrides, self.plugins.registry)
        return self._expanded(files[0].name if len(files) == 1 else suite, files)

    def plan_text(self, name: str, text: str) -> Plan:
        """Expand a suite that is given as text.

        Raises:
            SpecificationError: as :meth:`plan`.
            DataError: one of its datasets is missing.
        """
        return self._expanded(name, [read_suite(name, name, text, ())])

    def worker(self, artifacts: Path) -> TaskWorker:
        """What carries out single tasks, with checkpoints in a folder of its own."""
        from hfcbench.allocator import keep_freed_memory
        from hfcbench.devices import choose_device

        keep_freed_memory()
        device = str(choose_device(self.settings.device))
        return TaskWorker(self.plugins.registry, self.datasets, artifacts, device)

    def _expanded(self, name: str, files: Sequence[SuiteFile]) -> Plan:
        registry = self.plugins.registry
        return make_plan(
            name, [planned for file in files for planned in expand(file, registry, self.datasets)]
        )

    def remaining(self, plan: Plan) -> Remaining:
        """What is left of a plan; creates nothing."""
        if not database_exists(self.settings.database):
            return remaining(plan, None, self.settings.artifacts_folder)
        with open_store(self.settings.database, read_only=True) as store:
            return remaining(plan, store, self.settings.artifacts_folder)

    def run(self, plan: Plan, console: Console) -> tuple[RunSummary, list[FailureRecord]]:
        """Do what is left of a plan and store it.

        Raises:
            SpecificationError: a gradient attack is planned on a model that has no gradient.
        """
        with open_store(self.settings.database, create=True) as store:
            left = remaining(plan, store, self.settings.artifacts_folder)
            if not left.tasks and not left.unscored:
                return RunSummary(0, 0, 0, 0, 0.0), []
            check_attackable(left.tasks, self.plugins.registry)
            executor = self._executor()
            with ProgressDisplay(left.tasks, console) as display:
                run = Run(
                    plan,
                    left,
                    self.plugins,
                    self.datasets,
                    store,
                    self.worker(self.settings.artifacts_folder),
                    executor,
                    display,
                    self.settings.grace_seconds,
                )
                return run(), run.failures

    def _executor(self) -> Any:
        name, parameters = parse_label(self.settings.executor)
        further = self.settings.executor_parameters
        for parameter in parameters.keys() & further.keys():
            raise SpecificationError(
                f"executor '{name}': '{parameter}' is given twice, in parentheses and as an option"
            )
        registry = self.plugins.registry
        return registry.create(registry.resolve("executor", name, {**parameters, **further}))
