"""Comparing a model's answers to images with those to their components."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from hfcbench.analyses.subjects import batches, logits_of, proportion
from hfcbench.frequency.components import ORIGINAL, Component, extract
from hfcbench.quantities import Axis, Quantity, Subject
from hfcbench.types import Cutoff, Decomposition, ImageSplit, Rescaling

Classes = NDArray[np.int64]
Confidences = NDArray[np.float32]


def answers_to(
    subject: Subject, decomposition: Decomposition, cutoff: Cutoff, rescaling: Rescaling
) -> tuple[Classes, Confidences]:
    """Predicted classes and confidences ``(N,3)`` for the originals, the LFCs and the HFCs."""
    components = [ORIGINAL, *(Component(decomposition, part, cutoff, rescaling) for part in (0, 1))]
    classes, confidences = [], []
    for images, _ in batches(subject):
        answers = [
            F.softmax(logits_of(subject, view), dim=1).max(dim=1)
            for view in extract(images, components)
        ]
        classes.append(torch.stack([answer.indices for answer in answers], 1).cpu().numpy())
        confidences.append(torch.stack([answer.values for answer in answers], 1).cpu().numpy())
    return np.concatenate(classes), np.concatenate(confidences)


def conflict_quantities(
    split: ImageSplit, classes: Classes, confidences: Confidences, examples: int
) -> list[Quantity]:
    """Counts of every kind, and the most confident examples of the paper's kinds."""
    whole, low, high = classes.T
    right = whole == split.labels
    kinds = {
        "follows-high": (whole == high) & (whole != low),
        "follows-low": (whole == low) & (whole != high),
        "follows-both": (whole == low) & (whole == high),
        "follows-neither": (whole != low) & (whole != high),
    }
    papers = {name: kinds[f"follows-{name}"] & right for name in ("high", "low", "neither")}
    kinds |= {f"paper-{name}": chosen for name, chosen in papers.items()}
    n = len(split)
    quantities = [proportion(name, np.array(int(kind.sum())), n) for name, kind in kinds.items()]
    for name, chosen in papers.items():
        places = np.flatnonzero(chosen)
        ranked = places[np.argsort(-confidences[places].min(1), kind="stable")][:examples]
        if len(ranked):
            quantities += _examples(name, split, ranked, classes, confidences)
    return quantities


def _examples(
    name: str, split: ImageSplit, places: Classes, classes: Classes, confidences: Confidences
) -> list[Quantity]:
    def array(what: str, values: NDArray[np.generic], *names: str) -> Quantity:
        axes = tuple(
            Axis(axis, "", tuple(float(place) for place in range(size)))
            for axis, size in zip(("example", *names), values.shape, strict=True)
        )
        return Quantity(f"{name}-{what}", "", values, axes)

    return [
        array("examples", np.ascontiguousarray(split.images[places]), "channel", "row", "column"),
        array("positions", places),
        array("labels", split.labels[places]),
        array("answers", classes[places], "view"),
        array("confidences", confidences[places], "view"),
    ]
