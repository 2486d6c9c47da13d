"""What a benchmark has found: contenders' times beside ours, or other figures."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Comparison:
    """Median seconds of each contender over the same rounds; the first is ours.

    Attributes:
        goals: of each contender's ratio, or of our seconds, in words.
        judged: whether a ratio that misses what is expected of it fails; short runs are too noisy.
    """

    title: str
    seconds: Mapping[str, float]
    goals: Mapping[str, str] = field(default_factory=dict)
    judged: bool = True

    def ratio(self, peer: str) -> float:
        """How many times longer the peer takes than ours."""
        return self.seconds[peer] / next(iter(self.seconds.values()))

    def expect(self, peer: str, *, at_least: float) -> None:
        """Fail unless the peer takes that many times longer than ours."""
        assert not self.judged or self.ratio(peer) >= at_least

    def expect_seconds(self, *, at_most: float) -> None:
        """Fail unless ours take no more."""
        assert not self.judged or next(iter(self.seconds.values())) <= at_most

    @property
    def ratios(self) -> dict[str, float]:
        return {peer: self.ratio(peer) for peer in self.seconds}

    def rows(self) -> list[tuple[str, str, str]]:
        """Name, figure and goal of each contender."""
        return [
            (
                name,
                f"{seconds * 1000:,.1f} ms, {self.ratio(name):.2f} x ours",
                self.goals.get(name, ""),
            )
            for name, seconds in self.seconds.items()
        ]


@dataclass(frozen=True)
class Figures:
    """Figures that are no times, such as memory, each with its unit."""

    title: str
    values: Mapping[str, float]
    unit: str
    goals: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> list[tuple[str, str, str]]:
        return [
            (name, f"{value:,.4g} {self.unit}", self.goals.get(name, ""))
            for name, value in self.values.items()
        ]


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
