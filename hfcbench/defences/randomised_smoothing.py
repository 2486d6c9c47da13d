"""Randomised smoothing: answers under Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.types import Defence

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class RandomisedSmoothing:
    """Answer with the mean over Gaussian noise on the image (Cohen, Rosenfeld, Kolter 2019).

    Attributes:
        sigma: standard deviation of the noise in pixel units of [0,1]; noisy pixels are not cut.
        draws: of noise, for each answer.
        attack_draws: of noise, for each gradient that an attack asks for.
        votes: count every draw as one vote for its most probable class, as the source does;
            otherwise probabilities are averaged, which attacks and losses can tell apart more
            finely. Gradients are those of mean probabilities in both cases (Salman et al. 2019).
    """

    sigma: Annotated[float, Gt(0)] = 0.25
    draws: Annotated[int, Ge(1)] = 100
    attack_draws: Annotated[int, Ge(1)] = 16
    votes: bool = False

    def defend(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model under noise; see :class:`hfcbench.types.Defence`."""
        from hfcbench.defences.noisy_answers import NoisyAnswers

        return NoisyAnswers(model, self.sigma, self.draws, self.attack_draws, self.votes).eval()


@hookimpl
def hfcbench_register_defences(register: Register[Defence]) -> None:
    register("randomised-smoothing", RandomisedSmoothing, version="1")
