"""How the learning rate of a detector's training moves."""

from __future__ import annotations

import math

WARM_UP = 0.05
"""The share of all steps in which the learning rate rises."""


def learning_rate_factor(step: int, steps: int) -> float:
    """What the schedule's learning rate is multiplied with in a step, in (0,1].

    It rises linearly over the first 5% of the steps, since focal losses of fresh heads are large,
    and then falls to nearly zero along half a cosine (Loshchilov and Hutter 2017, "SGDR", without
    restarts).

    Args:
        step: the first is 0.
        steps: of the whole training, at least 1.
    """
    rising = max(1, math.ceil(WARM_UP * steps))
    if step < rising:
        return (step + 1) / rising
    return (1 + math.cos(math.pi * (step - rising + 1) / (steps - rising + 1))) / 2
