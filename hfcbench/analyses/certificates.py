"""Radii within which a model under Gaussian noise cannot change its answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from hfcbench.analyses.subjects import batches, logits_of
from hfcbench.defence_modules import is_random
from hfcbench.devices import generator_for
from hfcbench.errors import NodeError
from hfcbench.evaluation.batching import default_batch_size
from hfcbench.quantities import Subject

ABSTAINED = -1


def certify(
    subject: Subject, sigma: float, n0: int, n: int, alpha: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The class ``(N,)`` that the smoothed model gives each image, and its certified radius.

    With probability ``1 - alpha`` for each image, no change of a Euclidean length below the radius
    (pixel units of [0,1]) changes the most probable class under noise. Where that class cannot be
    told, the class is :data:`ABSTAINED` and the radius 0. Noise depends on the subject's seed and
    the image's position alone.

    Args:
        subject: with the model that is to be smoothed.
        sigma: standard deviation of the noise in pixel units of [0,1].
        n0: draws that the class is chosen by.
        n: further draws that its probability is bounded by.
        alpha: in (0,0.5).

    Raises:
        NodeError: the model answers at random.

    Source: Cohen, Rosenfeld, Kolter 2019, algorithm CERTIFY.
    """
    if is_random(subject.model):
        raise NodeError(
            "certificates are for a model that is smoothed once, and this one is random already",
            hint="analyse the undefended model: defences: [none]",
        )
    classes: list[Tensor] = []
    counts: list[Tensor] = []
    for images, _ in batches(subject):
        for image in images:
            generator = generator_for(
                subject.device, subject.seed, "certified-accuracy", len(classes)
            )
            chosen = _votes(subject, image, sigma, n0, generator).argmax()
            classes.append(chosen)
            counts.append(_votes(subject, image, sigma, n, generator)[chosen])
    bounds = lower_bounds(torch.stack(counts).cpu().numpy(), n, alpha)
    told = bounds >= 0.5
    radii = sigma * stats.norm.ppf(np.where(told, bounds, 0.5))
    return np.where(told, torch.stack(classes).cpu().numpy(), ABSTAINED), radii


def lower_bounds(counts: NDArray[Any], n: int, alpha: float) -> NDArray[np.float64]:
    """Clopper and Pearson's one-sided lower bounds of probabilities.

    Whatever a probability is, its bound exceeds it with probability ``alpha`` at most.

    Args:
        counts: how often, of ``n`` independent tries each.
    """
    bounds: NDArray[np.float64] = stats.beta.ppf(alpha, counts, n - counts + 1)
    return np.where(counts == 0, 0.0, bounds)


def _votes(
    subject: Subject, image: Tensor, sigma: float, number: int, generator: torch.Generator
) -> Tensor:
    """How often ``(K,)`` each class is the answer to an image ``(C,H,W)`` under noise.

    Answers that are no numbers are nobody's votes.
    """
    at_once = default_batch_size(subject.images)
    votes: list[Tensor] = []
    for start in range(0, number, at_once):
        shape = (min(at_once, number - start), *image.shape)
        noise = torch.randn(shape, generator=generator, device=image.device)
        logits = logits_of(subject, image + sigma * noise)
        answered = ~logits.isnan().any(dim=1, keepdim=True)
        votes.append((F.one_hot(logits.argmax(1), logits.shape[1]) * answered).sum(0))
    return torch.stack(votes).sum(0)
