"""How far to trust a robust score: what a sound attack on a sound model does not show.

The signs are those of Carlini, Athalye, Papernot et al. 2019, "On evaluating adversarial
robustness", section 4, and of AutoAttack's checks (Croce and Hein 2020).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from hfcbench.adversarial.gradient import loss_gradient
from hfcbench.adversarial.promises import attacked_images
from hfcbench.adversarial.worst_case import worst_cases, wrong_answers
from hfcbench.attack_types import Attack, Norm, Search, SteppedAttack
from hfcbench.defence_modules import RandomAnswers, is_random
from hfcbench.devices import generator_for, seeded
from hfcbench.reliability_checks import (
    FULL_RANGE,
    MORE_STEPS,
    RANDOM_ANSWERS,
    VANISHING_GRADIENTS,
    VERDICTS_CHANGED,
    Check,
)

PROBED = 50
"""How many of the images that are attacked are looked at, however they lie in batches."""

_VANISHED = 1e-8
_MOST_VANISHED = 0.1
_MOST_DIFFERENCE = 1e-4
_MOST_GAINED = 0.02


@dataclass(frozen=True)
class Probe:
    """Looks at those of an attack's first images that lie in one batch.

    What a check draws depends on the seed alone, not on what else is checked.

    Args:
        attack, name, search: as the images were searched for.
        model: that was attacked.
        judge: whose answers count; another model in mode ``transfer``.
        images: ``(N,C,H,W)`` in [0,1].
        labels: ``(N,)`` int64.
        seed: of what the probe draws.
        before: how many images were attacked in earlier batches.
        total: how many are attacked in all batches.
    """

    attack: Attack
    name: str
    search: Search
    model: nn.Module
    judge: nn.Module
    images: Tensor
    labels: Tensor
    seed: int
    before: int
    total: int

    def of_model(self) -> list[Check]:
        """What holds at every epsilon; nothing where enough images were looked at before."""
        if not self._count:
            return []
        images, labels = self.images[: self._count], self.labels[: self._count]
        checks = [self._random_answers(images)]
        if self.attack.needs_gradients:
            checks.append(self._vanishing_gradients(images, labels))
        if isinstance(self.attack, SteppedAttack) and self.attack.covers_ball:
            checks.append(self._full_range(self.attack, images, labels))
        return checks

    def of_epsilon(self, found: Tensor, epsilon: float, verdicts_changed: int) -> list[Check]:
        """What holds for what was found at one epsilon.

        Args:
            found: ``(N,C,H,W)``, for each image the one that is judged.
            verdicts_changed: on how many images a stand-in was wrong about the model.
        """
        n = len(self.labels)
        checks = [Check(VERDICTS_CHANGED, verdicts_changed / n, math.inf, n)]
        # Of random answers a second look alone breaks some more.
        if self._count and isinstance(self.attack, SteppedAttack) and not is_random(self.judge):
            checks.append(self._more_steps(self.attack, found[: self._count], epsilon))
        return checks

    @property
    def _count(self) -> int:
        return min(len(self.labels), max(0, PROBED - self.before))

    @property
    def _in_all(self) -> int:
        """How many images the checks of all batches are of."""
        return min(PROBED, self.total)

    def _random_answers(self, images: Tensor) -> Check:
        """The share of images whose answers differ between two calls."""
        with torch.no_grad(), self._drawing(RANDOM_ANSWERS):
            difference = (self.model(images) - self.model(images)).abs().amax(1)
        share = float((difference > _MOST_DIFFERENCE).float().mean())
        known = _is_averaged if self.attack.needs_gradients else is_random
        expected = self.search.mode == "adaptive" and known(self.model)
        return Check(RANDOM_ANSWERS, share, 1.0 if expected else 0.0, len(images))

    def _vanishing_gradients(self, images: Tensor, labels: Tensor) -> Check:
        """The share of images whose gradient is zero, or too small for its sign to mean much."""
        with self._drawing(VANISHING_GRADIENTS):
            largest = loss_gradient(self.model, images, labels).abs().amax(dim=(1, 2, 3))
        share = float((largest <= _VANISHED).float().mean())
        return Check(VANISHING_GRADIENTS, share, _MOST_VANISHED, len(images))

    def _full_range(self, attack: SteppedAttack, images: Tensor, labels: Tensor) -> Check:
        """The accuracy in a ball that holds every image, where no model can beat chance."""
        radius = whole_range(attack.norm, images)
        with self._drawing(FULL_RANGE) as generator:
            (found,) = worst_cases(
                attack, self.name, self.model, images, labels, [radius], generator
            )
            with torch.no_grad():
                classes = self.model(images[:1]).shape[1]
        chance = 1 / classes
        limit = min(1.0, chance + 2 * math.sqrt(chance * (1 - chance) / self._in_all))
        return Check(FULL_RANGE, float((~found.broken).float().mean()), limit, len(images))

    def _more_steps(self, attack: SteppedAttack, found: Tensor, epsilon: float) -> Check:
        """How much accuracy falls by one more try of twice as many steps from a random point.

        A single image is no sign, however few there are.
        """
        n, most = len(found), max(_MOST_GAINED, 1 / self._in_all)
        left = (~wrong_answers(self.judge, found, self.labels[:n])).nonzero().flatten()
        if not len(left):
            return Check(MORE_STEPS, 0.0, most, n)
        images, labels = self.images[left], self.labels[left]
        with self._drawing(MORE_STEPS) as generator:
            stronger = attack.retry(2 * attack.steps_at(epsilon))
            broken = self._broken_by(stronger, images, labels, epsilon, generator)
        return Check(MORE_STEPS, int(broken.sum()) / n, most, n)

    def _broken_by(
        self,
        attack: SteppedAttack,
        images: Tensor,
        labels: Tensor,
        epsilon: float,
        generator: torch.Generator,
    ) -> Tensor:
        """Which images ``(N,)`` bool an attack breaks by the search's own criterion."""
        given = (attack, self.name, self.model, images, labels, [epsilon], generator)
        if self.search.criterion == "worst-case":
            (found,) = worst_cases(*given)
            return found.broken
        (last,) = attacked_images(*given)
        return wrong_answers(self.judge, last, labels)

    @contextmanager
    def _drawing(self, purpose: str) -> Iterator[torch.Generator]:
        """A generator for a check; models that are random themselves draw from torch's own."""
        device = self.images.device
        with seeded(device, self.seed, purpose):
            yield generator_for(device, self.seed, purpose, "attack")


def _is_averaged(model: nn.Module) -> bool:
    """Whether gradients are means over several of the draws that a module declares."""
    random = [part for part in model.modules() if isinstance(part, RandomAnswers)]
    return bool(random) and all(part.attack_draws > 1 for part in random)


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
