"""Signs that a robust score cannot be trusted.

Importing this module loads neither torch nor a database.
"""

from __future__ import annotations

from dataclasses import dataclass

VANISHING_GRADIENTS = "vanishing-gradients"
RANDOM_ANSWERS = "random-answers"
FULL_RANGE = "full-range"
MORE_STEPS = "more-steps"
VERDICTS_CHANGED = "verdicts-changed"
BLACK_BOX = "black-box"
TRANSFER = "transfer"
STRONGER_ROW = "stronger-row"


@dataclass(frozen=True)
class Check:
    """One sign, measured on ``n`` images.

    Attributes:
        name: one of this module's names.
        value: a share of images or a difference of accuracies, in [0,1].
        threshold: the largest value that is no cause for doubt.
    """

    name: str
    value: float
    threshold: float
    n: int

    @property
    def flagged(self) -> bool:
        return self.value > self.threshold


ADVICE = {
    VANISHING_GRADIENTS: "gradients vanish: run autoattack, one of whose losses does not depend on "
    "the scale of logits, or square",
    RANDOM_ANSWERS: "answers are random and the attack does not average them: run it in mode "
    "adaptive, on a defence that says so and averages several draws",
    FULL_RANGE: "the attack fails even where every image is allowed: gradients are masked; run "
    "square or a transfer attack",
    MORE_STEPS: "more steps or another start break more images: raise steps and restarts",
    BLACK_BOX: "an attack without gradients breaks more images: gradients are masked; trust its "
    "score, or run autoattack",
    TRANSFER: "adversarial images of the undefended model break more images: gradients are masked; "
    "trust mode transfer, or run autoattack",
    STRONGER_ROW: "the same attack with more steps or restarts breaks more images: trust that row",
}
"""What each flag says, and what to run."""
