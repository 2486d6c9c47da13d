"""Contenders timed in turn, a table of their ratios, and the report of a whole run.

``--write-report`` records what was run and writes docs/benchmarks.md. ``--short`` leaves out what
is marked ``long``, times each contender once, judges no ratio, and prints it beside the committed
one: then only a benchmark that breaks or is missing fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import bench_report
import pytest
from bench_report import Finding
from comparison import Comparison, Figures, timed_in_turn

_FINDINGS = pytest.StashKey[list[Finding]]()
_SHORT = pytest.StashKey[list[str]]()


class Compare(Protocol):
    """What the fixture ``compare`` is."""

    def __call__(
        self,
        title: str,
        contenders: Mapping[str, Callable[[], object]],
        *,
        rounds: int,
        goals: Mapping[str, str],
        scale: Mapping[str, float],
    ) -> Comparison: ...


class Show(Protocol):
    """What the fixture ``show`` is."""

    def __call__(
        self, title: str, values: Mapping[str, float], unit: str, goals: Mapping[str, str]
    ) -> None: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--short", action="store_true", help="benchmarks: once each, none judged")
    parser.addoption("--write-report", action="store_true", help="benchmarks: write the docs page")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: a benchmark that short runs leave out")
    config.stash[_FINDINGS] = []
    config.stash[_SHORT] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--short"):
        left_out = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def found(request: pytest.FixtureRequest) -> Callable[[Finding], None]:
    """Put a finding on the table at the end."""

    def keep(finding: Finding) -> None:
        request.config.stash[_FINDINGS].append(finding)
        if not request.node.get_closest_marker("long"):
            request.config.stash[_SHORT].append(finding.title)

    return keep


@pytest.fixture
def compare(request: pytest.FixtureRequest, found: Callable[[Finding], None]) -> Compare:
    """Time contenders in turn, ours first, and show their ratios in the table at the end.

    ``scale`` multiplies the time of a contender that was given only a part of the work.
    """
    short = request.config.getoption("--short")

    def timed(
        title: str,
        contenders: Mapping[str, Callable[[], object]],
        *,
        rounds: int,
        goals: Mapping[str, str],
        scale: Mapping[str, float],
    ) -> Comparison:
        seconds = timed_in_turn(contenders, 1 if short else rounds)
        scaled = {name: value * scale.get(name, 1) for name, value in seconds.items()}
        comparison = Comparison(title, scaled, goals, judged=not short)
        found(comparison)
        return comparison

    return timed


@pytest.fixture
def show(found: Callable[[Finding], None]) -> Show:
    """Put figures that are no times into the table at the end."""

    def shown(title: str, values: Mapping[str, float], unit: str, goals: Mapping[str, str]) -> None:
        found(Figures(title, values, unit, goals))

    return shown


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    findings = config.stash[_FINDINGS]
    if config.getoption("--write-report") and not session.testsfailed:
        bench_report.write(findings, config.stash[_SHORT])
    if config.getoption("--short"):
        wanted = {title for title, record in bench_report.committed().items() if record["short"]}
        if wanted - {finding.title for finding in findings}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    short = config.getoption("--short")
    before = bench_report.committed() if short else {}
    for finding in config.stash[_FINDINGS]:
        terminalreporter.section(finding.title)
        ratios = before.get(finding.title, {}).get("ratios", {})
        for name, figure, goal in finding.rows():
            line = f"{name:<24} {figure:>32}"
            line += f"   committed: {ratios[name]:.2f}" if name in ratios else ""
            terminalreporter.write_line(line + (f"   goal: {goal}" if goal else ""))
    if short:
        names = {finding.title for finding in config.stash[_FINDINGS]}
        for title, record in before.items():
            if record["short"] and title not in names:
                terminalreporter.write_line(f"MISSING: {title}", red=True)
