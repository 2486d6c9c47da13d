"""Which studies the runs of a database were asked for, from the commands that it remembers."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import click

from hfcbench.cli.overrides import overrides_from, run_command
from hfcbench.cli.run_command import command as run_program
from hfcbench.errors import HfcbenchError
from hfcbench.registry import Registry
from hfcbench.reports.reading import read_study
from hfcbench.reports.study import Study
from hfcbench.results.store import Store
from hfcbench.runner.suite_search import included_suites

_RUN = "run"
_DATABASE = "results.db"


@dataclass(frozen=True)
class Asked:
    """A suite with blocks of its own, and how a run was asked to change it.

    Attributes:
        options: of ``hfcbench run``, by the names of its parameters.
    """

    suite: str
    options: Mapping[str, Any]

    @property
    def command(self) -> str:
        return run_command(self.suite, _DATABASE, self.options)

    @property
    def setting(self) -> str:
        """What all runs agree in that differ by their number of seeds only."""
        changed = {name: value for name, value in self.options.items() if name != "seeds"}
        return json.dumps([self.suite, changed], sort_keys=True, default=str)


@dataclass(frozen=True)
class AskedStudy:
    """A study as it was asked for, and what the database holds of it."""

    asked: Asked
    study: Study


def asked_studies(store: Store, registry: Registry) -> list[Asked]:
    """Every study that was asked for, once, with the most seeds; in the order of the runs.

    Runs of suites that are not registered here, or whose command cannot be read, are left out.
    """
    found: dict[str, Asked] = {}
    _, rows = store.query("SELECT command FROM runs ORDER BY started_at, uuid")
    for (command,) in rows:
        for asked in _asked_by(str(command), registry):
            known = found.setdefault(asked.setting, asked)
            if _seeds(asked) > _seeds(known):
                found[asked.setting] = replace(known, options=asked.options)
    return list(found.values())


def read_studies(store: Store, registry: Registry) -> list[AskedStudy]:
    """What the database holds of every study that was asked for and has a finished training."""
    found = []
    for asked in asked_studies(store, registry):
        try:
            overrides = overrides_from(asked.options)
            study = read_study(store, registry, asked.suite, overrides, command=asked.command)
        except HfcbenchError:
            # Of a run that failed before it knew its dataset, or whose options were refused.
            continue
        if study.trainings["done"].any():
            found.append(AskedStudy(asked, study))
    return found


def _asked_by(command: str, registry: Registry) -> Iterator[Asked]:
    try:
        words = shlex.split(command)
        arguments = words[words.index(_RUN) + 1 :]
        with run_program.make_context(_RUN, arguments) as context:
            given = dict(context.params)
        names = included_suites(str(given.pop("suite")), registry)
    except (ValueError, click.ClickException, click.exceptions.Exit, HfcbenchError):
        return
    options = {name: value for name, value in given.items() if name in _OVERRIDES}
    for name in names:
        yield Asked(name, options)


def _seeds(asked: Asked) -> int:
    return int(asked.options["seeds"] or 1)


def _override_names() -> frozenset[str]:
    """The parameters of ``hfcbench run`` that change a suite."""
    from hfcbench.cli.overrides import override_options

    @override_options
    def none() -> None: ...

    return frozenset(option.name for option in none.__click_params__)  # type: ignore[attr-defined]


_OVERRIDES = _override_names()
