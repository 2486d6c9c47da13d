"""Robust accuracy as the paper's equation 2 has it, from the attacks of a suite."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.reports.study import ReadAnswers
from hfcbench.results.queries.faced_attacks import SAME_EPSILON
from hfcbench.results.queries.robust_accuracy import attacks_name
from hfcbench.results.statistics import Answers, worst_case

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


@dataclass(frozen=True)
class Ball:
    """The attacks of a suite within an L-infinity ball.

    Attributes:
        attacks: labels and epsilons, the largest of which is the ball's.
    """

    attacks: tuple[tuple[str, float], ...]

    @property
    def name(self) -> str:
        """``worst case of: fgsm, pgd at 0.03``."""
        return f"worst case of: {attacks_name(self.attacks)}"

    @property
    def epsilon(self) -> float:
        return max(epsilon for _, epsilon in self.attacks)


def balls(attacks: Sequence[tuple[str, float]]) -> list[Ball]:
    """The balls that attacks reach the edge of, by epsilon."""
    return [
        Ball(tuple(attack for attack in attacks if attack[1] <= edge))
        for edge in sorted({epsilon for _, epsilon in attacks})
    ]


def ball_of(attacks: Sequence[tuple[str, float]], epsilon: float) -> Ball | None:
    """The ball of one epsilon; None if no attack reaches its edge."""
    found = [
        ball for ball in balls(attacks) if math.isclose(ball.epsilon, epsilon, abs_tol=SAME_EPSILON)
    ]
    return found[0] if found else None


def robust_answers(scores: pd.DataFrame, ball: Ball, read: ReadAnswers) -> Answers | None:
    """Which images a model gets right when clean and under every attack in a ball.

    Args:
        scores: those of one training and defence on originals, as in
            :class:`hfcbench.reports.study.Study`.

    Returns:
        None where the model did not face all of them, or its single answers are not known.
    """
    attacks = zip(
        scores["attack"], scores["epsilon"].fillna(0.0), scores["evaluation"], strict=True
    )
    by_attack = {(attack, epsilon): evaluation for attack, epsilon, evaluation in attacks}
    wanted = [("none", 0.0), *ball.attacks]
    if not all(attack in by_attack for attack in wanted):
        return None
    evaluations = [by_attack[attack] for attack in wanted]
    found = read(evaluations)
    if not all(evaluation in found for evaluation in evaluations):
        return None
    return worst_case([found[evaluation] for evaluation in evaluations])
