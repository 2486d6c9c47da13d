"""Studies made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hfcbench.quantities import Axis, Quantity
from hfcbench.reports.study import StudiedQuantity, Study
from hfcbench.results.statistics import Answers, ImageSet
from hfcbench.sampling import chosen_images

IDENTITY = ["training", "dataset", "model", "heuristics", "trained_on", "seed"]
TRAININGS = [*IDENTITY, "epochs", "done"]
CURVES = [*IDENTITY, "epoch", "split", "component", "part", "cutoff", "metric", "value", "n"]
SCORES = [
    *IDENTITY,
    *("evaluation", "split", "defence", "attack", "epsilon", "component", "part", "cutoff"),
    *("decomposition", "rescaling", "metric", "value", "low", "high", "n"),
]


class StudyBuilder:
    """Collects trainings, curve points, scores and quantities, and makes a study of them."""

    def __init__(self, suite: str) -> None:
        self.suite = suite
        self.trainings: dict[str, dict[str, Any]] = {}
        self.curves: list[dict[str, Any]] = []
        self.scores: list[dict[str, Any]] = []
        self.quantities: list[StudiedQuantity] = []
        self.answers: dict[str, Answers] = {}

    def train(
        self,
        *,
        dataset: str = "cifar10",
        model: str = "resnet18",
        heuristics: str = "vanilla",
        trained_on: str = "original",
        seed: int = 0,
    ) -> dict[str, Any]:
        """Add a training, unless it is there, and return its six columns."""
        values = [dataset, model, heuristics, trained_on, seed]
        name = "/".join(map(str, values))
        row = dict(zip(IDENTITY, [name, *values], strict=True))
        self.trainings.setdefault(name, {**row, "epochs": 5, "done": True})
        return row

    def curve(
        self, component: str, values: list[float], *, split: str, n: int = 200, **training: Any
    ) -> None:
        """Add accuracies from epoch 1 on."""
        row = self.train(**training) | _component(component)
        for epoch, value in enumerate(values, start=1):
            point = {"epoch": epoch, "split": split, "metric": "top1", "value": value, "n": n}
            self.curves.append(row | point)

    def score(
        self,
        value: float,
        *,
        low: float = np.nan,
        high: float = np.nan,
        n: int = 200,
        right: Any = None,
        component: str = "original",
        defence: str = "none",
        attack: str = "none",
        epsilon: float = np.nan,
        metric: str = "top1",
        rescaling: str = "none",
        **training: Any,
    ) -> None:
        """Add a score on test images; ``right`` says of the first images an accuracy is of."""
        if right is not None:
            self.answers[str(len(self.scores))] = _answers(np.asarray(right, bool))
            value, n = float(np.mean(right)), len(right)
        row = self.train(**training) | _component(component)
        self.scores.append(
            row
            | {"evaluation": str(len(self.scores)), "split": "test", "defence": defence}
            | {"attack": attack, "epsilon": epsilon, "decomposition": "fft-radial"}
            | {"rescaling": rescaling, "metric": metric, "value": value, "low": low, "high": high}
            | {"n": n}
        )

    def measure(
        self,
        analysis: str,
        quantity: Quantity,
        *,
        defence: str = "none",
        attack: str = "none",
        epsilon: float | None = None,
        **training: Any,
    ) -> None:
        """Add a quantity."""
        row = self.train(**training)
        name = analysis.split("(")[0]
        self.quantities.append(
            StudiedQuantity(
                **row,
                analysis=analysis,
                analysis_name=name,
                defence=defence,
                attack=attack,
                epsilon=epsilon,
                quantity=quantity,
            )
        )

    def study(
        self,
        *,
        missing: int = 0,
        scale: str = "full",
        classes: Mapping[str, Sequence[str]] | None = None,
    ) -> Study:
        """The study of all that was added."""
        attacks = [(r["attack"], r["epsilon"]) for r in self.scores if r["attack"] != "none"]
        return Study(
            suite=self.suite,
            scale=scale,
            trainings=pd.DataFrame(list(self.trainings.values()), columns=TRAININGS),
            curves=pd.DataFrame(self.curves, columns=CURVES),
            scores=pd.DataFrame(self.scores, columns=SCORES),
            quantities=tuple(self.quantities),
            missing=missing,
            command=f"hfcbench run {self.suite}",
            classes=classes or {},
            attacks=tuple(dict.fromkeys(attacks)),
            answers=lambda names: {n: self.answers[n] for n in names if n in self.answers},
        )


def scalar(name: str, value: float, low: float, high: float, n: int) -> Quantity:
    """A quantity that is one number."""
    return Quantity(name, "", np.float32(value), (), np.float32(low), np.float32(high), n)


def array(name: str, values: Any, *axes: Axis, unit: str = "", n: int = 0) -> Quantity:
    """A quantity of several numbers; axes that are not given count from 0."""
    filled = np.asarray(values)
    named = axes or tuple(
        Axis(f"axis-{place}", "", tuple(map(float, range(size))))
        for place, size in enumerate(filled.shape)
    )
    return Quantity(name, unit, filled, named, n=n)


def _component(label: str) -> dict[str, Any]:
    part, _, cutoff = label.partition("@")
    return {"component": label, "part": part, "cutoff": float(cutoff) if cutoff else np.nan}


def _answers(right: Any) -> Answers:
    """To as many images of a split of 20, whose labels are their positions."""
    n = len(right)
    return Answers(ImageSet("f", "test", 20, n, f"{n} labels"), chosen_images(20, n), right)
