"""How far to trust a robust score: what a sound attack on a sound model does not show.

The signs are those of Carlini, Athalye, Papernot et al. 2019, "On evaluating adversarial
robustness", section 4, and of AutoAttack's checks (Croce and Hein 2020).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from hfcbench.adversarial.gradient import loss_gradient
from hfcbench.adversarial.worst_case import WorstCase, worst_cases
from hfcbench.attack_types import Attack, Norm, SteppedAttack
from hfcbench.defence_modules import is_random
from hfcbench.reliability_checks import (
    FULL_RANGE,
    MORE_STEPS,
    RANDOM_ANSWERS,
    VANISHING_GRADIENTS,
    VERDICTS_CHANGED,
    Check,
)

_PROBED = 50
_CONTINUED = 25

_VANISHED = 1e-8
_MOST_VANISHED = 0.1
_MOST_DIFFERENCE = 1e-4
_MOST_GAINED = 0.02


@dataclass(frozen=True)
class Probe:
    """Looks at the first images of an attack's batch.

    Args:
        attack, name: as they were searched with.
        model: that was attacked.
        images: ``(N,C,H,W)`` in [0,1].
        labels: ``(N,)`` int64.
        adaptive: whether the attack knew of the defence.
        seed: of what the probe draws.
    """

    attack: Attack
    name: str
    model: nn.Module
    images: Tensor
    labels: Tensor
    adaptive: bool
    generator: torch.Generator

    def of_model(self) -> list[Check]:
        """What holds at every epsilon."""
        images, labels = self.images[:_PROBED], self.labels[:_PROBED]
        checks = [self._random_answers(images)]
        if self.attack.needs_gradients:
            checks.append(self._vanishing_gradients(images, labels))
        if isinstance(self.attack, SteppedAttack) and self.attack.covers_ball:
            checks.append(self._full_range(self.attack, images, labels))
        return checks

    def of_epsilon(self, found: WorstCase, epsilon: float, *, thorough: bool) -> list[Check]:
        """What holds for one epsilon's result over all of the images.

        Args:
            thorough: also what takes gradients.
        """
        n = len(self.labels)
        checks = [Check(VERDICTS_CHANGED, found.verdicts_changed / n, math.inf, n)]
        if thorough and isinstance(self.attack, SteppedAttack):
            checks.append(self._more_steps(self.attack, found.broken, epsilon))
        return checks

    def _random_answers(self, images: Tensor) -> Check:
        """The share of images whose answers differ between two calls."""
        with torch.no_grad():
            difference = (self.model(images) - self.model(images)).abs().amax(1)
        share = float((difference > _MOST_DIFFERENCE).float().mean())
        expected = self.adaptive and is_random(self.model)
        return Check(RANDOM_ANSWERS, share, 1.0 if expected else 0.0, len(images))

    def _vanishing_gradients(self, images: Tensor, labels: Tensor) -> Check:
        """The share of images whose gradient is zero, or too small for its sign to mean much."""
        largest = loss_gradient(self.model, images, labels).abs().amax(dim=(1, 2, 3))
        share = float((largest <= _VANISHED).float().mean())
        return Check(VANISHING_GRADIENTS, share, _MOST_VANISHED, len(images))

    def _full_range(self, attack: SteppedAttack, images: Tensor, labels: Tensor) -> Check:
        """The accuracy in a ball that holds every image, where no model can beat chance."""
        (found,) = worst_cases(
            attack,
            self.name,
            self.model,
            images,
            labels,
            [whole_range(attack.norm, images)],
            self.generator,
        )
        with torch.no_grad():
            classes = self.model(images[:1]).shape[1]
        n, chance = len(images), 1 / classes
        limit = min(1.0, chance + 2 * math.sqrt(chance * (1 - chance) / n))
        return Check(FULL_RANGE, float((~found.broken).float().mean()), limit, n)

    def _more_steps(self, attack: SteppedAttack, broken: Tensor, epsilon: float) -> Check:
        """How much accuracy falls by one more try of twice as many steps from a random point."""
        left = (~broken).nonzero().flatten()
        robust = len(left) / len(broken)
        tested = left[:_CONTINUED]
        if not len(tested):
            return Check(MORE_STEPS, 0.0, _MOST_GAINED, len(broken))
        (found,) = worst_cases(
            attack.retry(2 * attack.steps_at(epsilon)),
            self.name,
            self.model,
            self.images[tested],
            self.labels[tested],
            [epsilon],
            self.generator,
        )
        fallen = robust * float(found.broken.float().mean())
        return Check(MORE_STEPS, fallen, _MOST_GAINED, len(tested))


def whole_range(norm: Norm, images: Tensor) -> float:
    """The radius of a ball around any image that holds all images."""
    return 1.0 if norm == "linf" else math.sqrt(images[0].numel())


def merged(batches: Sequence[Mapping[str, Check]]) -> dict[str, Check]:
    """Checks of several batches as one: means weighted by the number of images."""
    found: dict[str, Check] = {}
    for checks in batches:
        for name, check in checks.items():
            before = found.get(name)
            if before is None:
                found[name] = check
                continue
            n = before.n + check.n
            value = (before.value * before.n + check.value * check.n) / n
            found[name] = replace(before, value=value, n=n)
    return found
