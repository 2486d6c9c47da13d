"""The worst case within the ball: what is broken once is broken, and is left alone after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hfcbench.adversarial.ball import Ball, ball_of
from hfcbench.adversarial.climbing import start_of
from hfcbench.adversarial.gradient import check_images, check_model, gradient_and_logits
from hfcbench.adversarial.promises import attacked_images
from hfcbench.attack_types import Attack, SteppedAttack
from hfcbench.defence_modules import is_random


@dataclass(frozen=True)
class WorstCase:
    """What a search found at one epsilon.

    Attributes:
        images: ``(N,C,H,W)``; of broken images the first that the model gets wrong (the image
            itself where that is wrong already), of the others the last that was tried.
        broken: ``(N,)`` bool.
        verdicts_changed: how many images the model that was climbed took for broken, or for whole,
            and the true model did not; the true model's word counts.
    """

    images: Tensor
    broken: Tensor
    verdicts_changed: int


def worst_cases(
    attack: Attack,
    name: str,
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilons: Sequence[float],
    generator: torch.Generator,
    *,
    climbed: nn.Module | None = None,
) -> Iterator[WorstCase]:
    """Search at each epsilon, the smaller ones first, among the images that are not broken yet.

    An image that is wrong when clean never enters. One that is broken at any step of any try, or at
    a smaller epsilon, is broken. The accuracy that is left is that of equation 2 of the paper, as
    far as the attack can tell. Of models that declare random answers no single one is believed:
    every step is taken for every image, and the last counts.

    Args:
        attack: not ``exact``.
        name: what messages call it.
        model: has the last word on every image; in evaluation mode, returns logits.
        images: ``(N,C,H,W)`` float32 in [0,1].
        labels: ``(N,)`` int64.
        epsilons: ascending radii in the attack's norm, pixel units of [0,1].
        generator: on the images' device; serves all epsilons alike.
        climbed: a faster stand-in whose gradients are followed; images on whose verdict the two
            disagree are searched again with ``model`` itself.

    Raises:
        NodeError: the attack breaks its promises, or the model cannot be attacked.
    """
    check_model(model)
    check_images(images)
    state = generator.get_state()
    if is_random(model):
        # The more often such a model is asked, the more answers are wrong by bad luck. Images that
        # a search stopped at for that are right when asked again.
        for epsilon in epsilons:
            generator.set_state(state)
            followed = model if climbed is None else climbed
            (last,) = attacked_images(attack, name, followed, images, labels, [epsilon], generator)
            yield WorstCase(last, wrong_answers(model, last, labels), 0)
        return
    found = images.clone()
    broken = wrong_answers(model, images, labels)
    for epsilon in epsilons:
        changed = 0
        active = (~broken).nonzero().flatten()
        if len(active):
            generator.set_state(state)
            search = _Search(attack, name, labels, active, generator)
            stand_in = model if climbed is None else climbed
            tried, claimed = search(stand_in, ball_of(attack.norm, images, epsilon))
            wrong = wrong_answers(model, tried, labels[active])
            changed = int((claimed != wrong).sum())
            again = claimed & ~wrong
            if stand_in is not model and bool(again.any()):
                generator.set_state(state)
                search = _Search(attack, name, labels, active[again], generator)
                tried[again], _ = search(model, ball_of(attack.norm, images, epsilon))
                wrong[again] = wrong_answers(model, tried[again], labels[active[again]])
            found[active] = tried
            broken[active] |= wrong
        yield WorstCase(found.clone(), broken.clone(), changed)


def wrong_answers(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Which images ``(N,)`` bool a model gets wrong; NaN is no right answer."""
    with torch.no_grad():
        return _is_wrong(model(images), labels)


def _is_wrong(logits: Tensor, labels: Tensor) -> Tensor:
    return (logits.argmax(1) != labels) | logits.isnan().any(1)


@dataclass
class _Search:
    """One epsilon's search for the images at ``active`` positions.

    Called with a model and the balls of all images, it returns images ``(A,C,H,W)`` and which of
    them ``(A,)`` that model gets wrong.
    """

    attack: Attack
    name: str
    labels: Tensor
    active: Tensor
    generator: torch.Generator

    def __call__(self, model: nn.Module, balls: Ball) -> tuple[Tensor, Tensor]:
        if isinstance(self.attack, SteppedAttack):
            return self._stepped(self.attack, model, balls)
        images, labels = balls.images[self.active], self.labels[self.active]
        (found,) = attacked_images(
            self.attack, self.name, model, images, labels, [balls.epsilon], self.generator
        )
        return found, wrong_answers(model, found, labels)

    def _stepped(
        self, attack: SteppedAttack, model: nn.Module, balls: Ball
    ) -> tuple[Tensor, Tensor]:
        found = balls.images[self.active].clone()
        broken = torch.zeros(len(found), dtype=torch.bool, device=found.device)
        labels = self.labels[self.active]
        for number in range(attack.restarts):
            # Drawn for all images, so that nobody's start depends on what is broken already.
            start = start_of(attack, balls, number, self.generator)[self.active]
            left = (~broken).nonzero().flatten()
            if not len(left):
                break
            ball = balls.part(self.active[left])
            tried, wrong = _climb(attack, model, ball, labels[left], start[left])
            found[left], broken[left] = tried, wrong
        return found, broken


def _climb(
    attack: SteppedAttack, model: nn.Module, ball: Ball, labels: Tensor, start: Tensor
) -> tuple[Tensor, Tensor]:
    """One try: images that are wrong leave at once; the others end after the last step."""
    found = start.clone()
    broken = torch.zeros(len(found), dtype=torch.bool, device=found.device)
    place = torch.arange(len(found), device=found.device)
    current, memory = start, None
    for _ in range(attack.steps_at(ball.epsilon)):
        gradient, logits = gradient_and_logits(model, current, labels)
        wrong = _is_wrong(logits, labels)
        if bool(wrong.any()):
            found[place[wrong]], broken[place[wrong]] = current[wrong], True
            keep = (~wrong).nonzero().flatten()
            if not len(keep):
                return found, broken
            place, current, gradient = place[keep], current[keep], gradient[keep]
            labels, ball = labels[keep], ball.part(keep)
            memory = None if memory is None else memory[keep]
        change, memory = attack.move(gradient, ball, memory)
        current = attack.confine(current + change, ball)
    found[place] = current
    broken[place] = wrong_answers(model, current, labels)
    return found, broken
