"""Ratios between contenders that were timed in turn, and the table of them at the end."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pytest

_COMPARISONS = pytest.StashKey[list["Comparison"]]()


@dataclass
class Comparison:
    """Median seconds of each contender over the same rounds; the first is ours."""

    title: str
    seconds: Mapping[str, float]
    goals: Mapping[str, str] = field(default_factory=dict)

    def ratio(self, peer: str) -> float:
        """How many times longer the peer takes than ours."""
        return self.seconds[peer] / next(iter(self.seconds.values()))


def timed_in_turn(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each contender, after one warm-up, in the order A B C A B C ...

    Machines drift and neighbours come and go: what is to be compared must run side by side.
    """
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            if number:
                samples[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in samples.items()}


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


@pytest.fixture
def compare(request: pytest.FixtureRequest) -> Compare:
    """Time contenders in turn, ours first, and show their ratios in the table at the end.

    ``scale`` multiplies the time of a contender that was given only a part of the work.
    """

    def timed(
        title: str,
        contenders: Mapping[str, Callable[[], object]],
        *,
        rounds: int,
        goals: Mapping[str, str],
        scale: Mapping[str, float],
    ) -> Comparison:
        seconds = timed_in_turn(contenders, rounds)
        scaled = {name: value * scale.get(name, 1) for name, value in seconds.items()}
        comparison = Comparison(title, scaled, goals)
        request.config.stash.setdefault(_COMPARISONS, []).append(comparison)
        return comparison

    return timed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    comparisons = terminalreporter.config.stash.get(_COMPARISONS, [])
    for comparison in comparisons:
        terminalreporter.section(comparison.title)
        for name, seconds in comparison.seconds.items():
            line = f"{name:<24} {seconds * 1000:>10.1f} ms {comparison.ratio(name):>8.2f} x ours"
            goal = comparison.goals.get(name, "")
            terminalreporter.write_line(line + (f"   goal: {goal}" if goal else ""))
