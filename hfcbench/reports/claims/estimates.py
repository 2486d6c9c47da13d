"""Numbers with their uncertainty, and what to conclude from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["supported", "contradicted", "undecided", "not run"]

_LEVEL = 0.05


@dataclass(frozen=True)
class Estimate:
    """A value and its sampling variance; sums and differences of independent ones.

    Two accuracies over the same images are not independent: they rise and fall together, so the
    variance of their difference is overstated, never understated, in practice.
    """

    value: float
    variance: float

    def __sub__(self, other: Estimate) -> Estimate:
        return Estimate(self.value - other.value, self.variance + other.variance)


def proportion(value: float, n: int) -> Estimate:
    """A share of ``n`` images; the variance is Agresti and Coull's, never zero."""
    shrunk = (value * n + 2) / (n + 4)
    return Estimate(value, shrunk * (1 - shrunk) / n)


def measured(value: float, low: float, high: float) -> Estimate:
    """A value with a 95% interval."""
    return Estimate(value, ((high - low) / 2 / 1.959964) ** 2)


def mean(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of estimates that may depend on each other, as of the same images at some radii.

    The variance is the mean of theirs, which that of the mean never exceeds.
    """
    n = len(estimates)
    return Estimate(
        sum(item.value for item in estimates) / n, sum(item.variance for item in estimates) / n
    )


@dataclass(frozen=True)
class Effect:
    """An effect with its interval: positive in favour of a claim.

    Attributes:
        of: what was compared.
        low, high: 95% together with the other effects of the claim (Bonferroni): over seeds where
            there are several (Student's t), else over images (normal).
        seeds: how many.
        within: where given, the claim says that the effect is no larger than this.
    """

    of: str
    value: float
    low: float
    high: float
    seeds: int
    within: float | None = None

    @property
    def verdict(self) -> Verdict:
        """What this effect alone says."""
        if not all(map(math.isfinite, (self.low, self.high))):
            return "undecided"
        if self.within is not None:
            if -self.within <= self.low and self.high <= self.within:
                return "supported"
            outside = self.low > self.within or self.high < -self.within
            return "contradicted" if outside else "undecided"
        if self.low > 0:
            return "supported"
        return "contradicted" if self.high < 0 else "undecided"


def combined(
    of: str, seeds: Sequence[Estimate], comparisons: int, within: float | None = None
) -> Effect:
    """One effect from an estimate per seed.

    Args:
        comparisons: how many effects the claim rests on.
    """
    from scipy import stats

    tail = 1 - _LEVEL / comparisons / 2
    values = [item.value for item in seeds]
    centre = sum(values) / len(values)
    if len(values) == 1:
        reach = float(stats.norm.ppf(tail)) * math.sqrt(seeds[0].variance)
    else:
        deviation = math.sqrt(sum((v - centre) ** 2 for v in values) / (len(values) - 1))
        reach = float(stats.t.ppf(tail, len(values) - 1)) * deviation / math.sqrt(len(values))
    return Effect(of, centre, centre - reach, centre + reach, len(values), within)


def verdict_of(effects: Sequence[Effect]) -> Verdict:
    """A claim is supported if every effect supports it, contradicted if any contradicts it."""
    verdicts = {effect.verdict for effect in effects}
    if "contradicted" in verdicts:
        return "contradicted"
    return "supported" if verdicts == {"supported"} else "undecided"


def weakest(effects: Sequence[Effect]) -> Effect:
    """The effect that speaks least for the claim."""
    return min(effects, key=_support)


def _support(effect: Effect) -> float:
    if effect.within is None:
        return effect.low
    return -max(abs(effect.low), abs(effect.high))
