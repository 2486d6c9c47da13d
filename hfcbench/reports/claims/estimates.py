"""Numbers with their uncertainty, and what to conclude from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hfcbench.results.statistics import Answers, ImageSet, contrast_variance, share_variance

Verdict = Literal["supported", "contradicted", "undecided", "not run"]

_LEVEL = 0.05
_IN_FAVOUR: tuple[Verdict, ...] = ("contradicted", "undecided", "supported")


@dataclass(frozen=True)
class Share:
    """The share of right answers to some images, as a part of a sum."""

    weight: float
    answers: Answers


@dataclass(frozen=True)
class Estimate:
    """A value with what its sampling variance follows from; sums and differences of such.

    Shares of right answers to the same images are added image by image, so that models which
    are right on the same images differ by an amount that is known more exactly than its parts.
    What is over other images, or is not known image by image (curves), counts as independent:
    of two scores that rise and fall together this overstates the variance of their difference.

    Attributes:
        unpaired: the variance of what is not in the shares.
        shares: what is known image by image.
    """

    value: float
    unpaired: float = 0.0
    shares: tuple[Share, ...] = ()

    @property
    def variance(self) -> float:
        """Of the shares see :func:`hfcbench.results.statistics.contrast_variance`."""
        return self.unpaired + sum(
            contrast_variance([s.weight for s in same], [s.answers.right for s in same])
            for same in self._by_images().values()
        )

    @property
    def only_images(self) -> ImageSet | None:
        """The images that all of it is over; None where there are others, or some are unknown."""
        found = list(self._by_images())
        return found[0] if len(found) == 1 and self.unpaired == 0 else None

    def times(self, factor: float) -> Estimate:
        """The estimate of a multiple."""
        shares = tuple(Share(s.weight * factor, s.answers) for s in self.shares)
        return Estimate(self.value * factor, self.unpaired * factor**2, shares)

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(
            self.value + other.value, self.unpaired + other.unpaired, self.shares + other.shares
        )

    def __sub__(self, other: Estimate) -> Estimate:
        return self + other.times(-1)

    def _by_images(self) -> dict[ImageSet, list[Share]]:
        found: dict[ImageSet, list[Share]] = {}
        for share in self.shares:
            found.setdefault(share.answers.images, []).append(share)
        return found


def answered(answers: Answers) -> Estimate:
    """The share of right answers to known images."""
    return Estimate(answers.accuracy, shares=(Share(1.0, answers),))


def proportion(value: float, n: int) -> Estimate:
    """A share of ``n`` images; of which ones is not known."""
    return Estimate(value, share_variance(value, n))


def measured(value: float, low: float, high: float) -> Estimate:
    """A value with a 95% interval."""
    return Estimate(value, ((high - low) / 2 / 1.959964) ** 2)


def mean(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of estimates that may depend on each other, as of the same images at some radii.

    Of the same images it is known image by image. Else its variance is the mean of theirs, which
    that of the mean never exceeds.
    """
    n = len(estimates)
    total = sum((item.times(1 / n) for item in estimates), start=Estimate(0.0))
    if total.only_images is not None:
        return total
    return Estimate(total.value, sum(item.variance for item in estimates) / n)


@dataclass(frozen=True)
class Effect:
    """An effect with its interval: positive in favour of a claim.

    Attributes:
        of: what was compared.
        low, high: 95% together with the other effects of the claim (Bonferroni): over seeds where
            there are several (Student's t), else over images (normal).
        seeds: how many.
        within: where given, the claim says that the effect is no larger than this.
        unlearned: trainings that it is of and that have learned nothing: it then decides nothing.
    """

    of: str
    value: float
    low: float
    high: float
    seeds: int
    within: float | None = None
    unlearned: tuple[str, ...] = ()

    @property
    def described(self) -> str:
        """What was compared, and what of it cannot be relied on."""
        if not self.unlearned:
            return self.of
        return f"{self.of} (learned nothing: {', '.join(self.unlearned)})"

    @property
    def verdict(self) -> Verdict:
        """What this effect alone says."""
        if self.unlearned or not all(map(math.isfinite, (self.low, self.high))):
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
    of: str,
    seeds: Sequence[Estimate],
    comparisons: int,
    within: float | None = None,
    unlearned: tuple[str, ...] = (),
) -> Effect:
    """One effect from an estimate per seed.

    Args:
        comparisons: how many effects the claim rests on.
        unlearned: trainings of any of the seeds that have learned nothing.
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
    return Effect(of, centre, centre - reach, centre + reach, len(values), within, unlearned)


def deciding(effects: Sequence[Effect], *, any_of: bool = False) -> Effect:
    """The effect that speaks least for the claim; with ``any_of`` the one that speaks most.

    Its verdict is the claim's: supported if every effect supports it, contradicted if any
    contradicts it; with ``any_of``, supported if any supports it, contradicted if all contradict
    it. Between effects that say the same, the lower ends of their intervals decide.
    """
    return max(effects, key=_support) if any_of else min(effects, key=_support)


def _support(effect: Effect) -> tuple[int, float]:
    reach = effect.low
    if effect.within is not None:
        reach = -max(abs(effect.low), abs(effect.high))
    return _IN_FAVOUR.index(effect.verdict), reach
