"""Climbing the loss within a ball, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from hfcbench.adversarial.ball import Ball, ball_of
from hfcbench.adversarial.gradient import check_images, check_model, gradient_and_logits
from hfcbench.attack_types import SteppedAttack


def climb_fully(
    attack: SteppedAttack,
    model: torch.nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilons: Sequence[float],
    generator: torch.Generator,
) -> list[Tensor]:
    """The images ``(N,C,H,W)`` after the last step, for each epsilon on its own.

    Every step is taken for every image. Of several tries the one whose last image has the highest
    loss counts, per image. The same random numbers serve all epsilons, so that the result at an
    epsilon does not depend on which others are asked for.

    Args:
        labels: ``(N,)`` int64 classes, or ``(N,K)`` probabilities of classes.

    Raises:
        NodeError: the model is in training mode or not differentiable, or images beyond [0,1].
    """
    check_model(model)
    check_images(images)
    state = generator.get_state()
    found = []
    for epsilon in epsilons:
        generator.set_state(state)
        ball = ball_of(attack.norm, images, epsilon)
        starts = (start_of(attack, ball, number, generator) for number in range(attack.restarts))
        tries = (last_of_try(attack, model, ball, labels, start) for start in starts)
        found.append(best_of(tries, model, labels))
    return found


def best_of(tries: Iterator[Tensor], model: torch.nn.Module, labels: Tensor) -> Tensor:
    """Of several batches ``(N,C,H,W)`` the image of the highest loss, for each of N.

    A loss that is not a number counts as the highest: no right answer gives it.
    """
    best = next(tries)
    highest = None
    for images in tries:
        highest = _losses(model, best, labels) if highest is None else highest
        losses = _losses(model, images, labels)
        better = (losses > highest) | losses.isnan()
        best = torch.where(better.view(-1, 1, 1, 1), images, best)
        highest = torch.where(better, losses, highest)
    return best


def start_of(attack: SteppedAttack, ball: Ball, number: int, generator: torch.Generator) -> Tensor:
    """Where try ``number`` begins, ``(N,C,H,W)`` inside what the attack keeps to."""
    if number or attack.random_start:
        return attack.confine(ball.random_point(generator), ball)
    return ball.images


def last_of_try(
    attack: SteppedAttack, model: torch.nn.Module, ball: Ball, labels: Tensor, start: Tensor
) -> Tensor:
    """The images ``(N,C,H,W)`` after all steps from ``start``."""
    current, memory = start, None
    for _ in range(attack.steps_at(ball.epsilon)):
        gradient, _ = gradient_and_logits(model, current, labels)
        change, memory = attack.move(gradient, ball, memory)
        current = attack.confine(current + change, ball)
    return current


def _losses(model: torch.nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    with torch.no_grad():
        return F.cross_entropy(model(images), labels, reduction="none")
