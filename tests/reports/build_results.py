"""Studies from accuracies, one training at a time."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from hfcbench.quantities import Quantity
from hfcbench.reports.study import StudiedQuantity, Study
from hfcbench.results.statistics import Answers, ImageSet
from hfcbench.sampling import chosen_images

N = 2000
RESNET = "preact-resnet32"


class Results:
    """Builds a study from accuracies, one training at a time."""

    def __init__(self):
        self.answers = {}
        self.trainings, self.curves, self.scores, self.quantities = [], [], [], []

    def training(self, heuristics="vanilla", *, model=RESNET, trained_on="original", seed=0):
        of = {
            "training": f"{model} {heuristics} {trained_on} {seed}",
            "dataset": "cats",
            "model": model,
            "heuristics": heuristics,
            "trained_on": trained_on,
            "seed": seed,
        }
        self.trainings.append({**of, "epochs": 10, "done": True})
        self.of = of
        return self

    def curve(self, split, component, value, epoch=10):
        part, _, cutoff = component.partition("@")
        point = {
            "epoch": epoch,
            "split": split,
            "component": component,
            "part": part,
            "metric": "top1",
        }
        self.curves.append(
            {**self.of, **point, "cutoff": float(cutoff or math.nan), "value": value, "n": N}
        )
        return self

    def score(self, value, *, attack="none", epsilon=math.nan, defence="none"):
        """A test accuracy, or for each image whether it is right."""
        n = N
        if isinstance(value, np.ndarray):
            self.answers[len(self.scores)] = answers(value)
            value, n = value.mean(), len(value)
        self.scores.append(
            {
                **self.of,
                "evaluation": len(self.scores),
                "split": "test",
                "component": "original",
                "part": "original",
                "cutoff": math.nan,
                "decomposition": None,
                "rescaling": None,
                "defence": defence,
                "attack": attack,
                "epsilon": epsilon,
                "metric": "top1",
                "value": value,
                "low": value,
                "high": value,
                "n": n,
            }
        )
        return self

    def share(self, name, value, analysis, reach=0.01):
        number = Quantity(
            name, "", np.array(value), (), np.array(value - reach), np.array(value + reach), N
        )
        of = dict(self.of, analysis=analysis, analysis_name=analysis.partition("(")[0])
        self.quantities.append(
            StudiedQuantity(**of, defence="none", attack="none", epsilon=None, quantity=number)
        )
        return self

    def attacks(self):
        found = [(row["attack"], row["epsilon"]) for row in self.scores if row["attack"] != "none"]
        return tuple(dict.fromkeys(found))

    def read(self, evaluations):
        return {name: self.answers[name] for name in evaluations if name in self.answers}

    def study(self):
        columns = list(self.trainings[0])[:6]
        return Study(
            "suite",
            "full",
            pd.DataFrame(self.trainings),
            pd.DataFrame(
                self.curves,
                columns=[
                    *columns,
                    *("epoch", "split", "component", "part", "cutoff", "metric", "value", "n"),
                ],
            ),
            pd.DataFrame(
                self.scores,
                columns=[
                    *columns,
                    *("evaluation", "split", "defence", "attack", "epsilon", "component", "part"),
                    *("cutoff", "decomposition", "rescaling", "metric", "value", "low", "high"),
                    "n",
                ],
            ),
            tuple(self.quantities),
            0,
            "run it",
            self.attacks(),
            self.read,
            {"cats": [f"class {number}" for number in range(10)]},
        )


def answers(right):
    """Answers to as many images of a split of N; labels are their positions."""
    n = len(right)
    return Answers(ImageSet("cats", "test", N, n, f"{n} labels"), chosen_images(N, n), right)


def right_from(start, share, n=N):
    """A share of the images is right, from one image on and around the end."""
    return np.roll(np.arange(n) < round(share * n), start)
