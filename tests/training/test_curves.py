"""What is measured after every epoch, against the trained module's own answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from hfcbench.frequency.components import Component
from hfcbench.training.job import CurveView
from hfcbench.training.loop import train
from hfcbench.types import Heuristic, Schedule


@dataclass(frozen=True)
class Halves:
    """The low part is half of the image."""

    parts = ("lfc", "hfc")

    def split(self, images, cutoffs):
        return [(images / 2, images / 2) for _ in cutoffs]


VIEWS = (CurveView(Component(), "original"), CurveView(Component(Halves(), 0, 1.0), "half"))


@dataclass(frozen=True)
class Swap(Heuristic):
    """Every label becomes the next one."""

    def relabel(self, labels, classes, generator):
        return (labels + 1) % classes


def test_accuracy_and_loss_of_both_splits_and_all_views_after_each_epoch(job):
    result = train(replace(job, curve=VIEWS, curve_samples=15))
    values = {
        (point.epoch, point.split, point.key, point.metric): point.value for point in result.curve
    }
    assert len(values) == len(result.curve) == 2 * 2 * 2 * 2
    assert {point.n for point in result.curve} == {15}
    for name, split in (("train", job.train), ("test", job.test)):
        chosen = split.sample(15)
        labels = torch.from_numpy(chosen.labels)
        for view, scale in (("original", 255), ("half", 510)):
            with torch.no_grad():
                logits = result.module(torch.from_numpy(chosen.images).float() / scale)
            top1 = float((logits.argmax(1) == labels).float().mean())
            loss = float(F.cross_entropy(logits, labels))
            assert values[2, name, view, "top1"] == pytest.approx(top1)
            assert values[2, name, view, "loss"] == pytest.approx(loss, abs=1e-5)


def test_all_images_unless_limited(job):
    result = train(replace(job, curve=VIEWS[:1]))
    assert {(point.split, point.n) for point in result.curve} == {("train", 60), ("test", 20)}


def test_training_accuracy_is_that_on_the_labels_that_are_trained_on(job):
    schedule = Schedule(epochs=40, batch_size=60, learning_rate=0.2)
    result = train(replace(job, heuristics=(Swap(),), schedule=schedule, curve=VIEWS[:1]))
    last = [
        point.value for point in result.curve if (point.split, point.metric) == ("train", "top1")
    ]
    with torch.no_grad():
        logits = result.module(torch.from_numpy(np.array(job.train.images)).float() / 255)
    predicted = logits.argmax(1).numpy()
    relabelled = (predicted == (job.train.labels + 1) % 3).mean()
    assert last[-1] == pytest.approx(relabelled)
    assert relabelled > (predicted == job.train.labels).mean() + 0.2


class Unsplittable(Halves):
    def split(self, images, cutoffs):
        raise RuntimeError("cannot split")


def test_a_view_that_cannot_be_measured_is_an_error(job):
    with pytest.raises(RuntimeError, match="cannot split"):
        train(replace(job, curve=(CurveView(Component(Unsplittable(), 0, 1.0), "bad"),)))
