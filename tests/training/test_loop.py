"""The training loop against steps computed by hand, and its promises about seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.errors import NodeError, SpecificationError
from hfcbench.frequency.components import Component
from hfcbench.training.job import CurveView, TrainingJob
from hfcbench.training.loop import train
from hfcbench.types import Batch, Heuristic, ImageShape, ImageSplit, Schedule

CPU = torch.device("cpu")
SHAPE = ImageShape(1, 4, 4)
CLASSES = 3


class Linear:
    """Logits are linear in the pixels; initialised from the global generator."""

    def check(self, shape, classes, options):
        pass

    def build(self, shape, classes, options):
        pixels = shape.channels * shape.height * shape.width
        return nn.Sequential(nn.Flatten(), nn.Dropout(options.dropout), nn.Linear(pixels, classes))


def images(count: int, seed: int) -> ImageSplit:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (count, 1, 4, 4), dtype=np.uint8)
    return ImageSplit(pixels, generator.integers(0, CLASSES, count))


@pytest.fixture
def job() -> TrainingJob:
    return TrainingJob(
        train=images(60, 1),
        test=images(20, 2),
        shape=SHAPE,
        classes=CLASSES,
        model=Linear(),
        schedule=Schedule(epochs=2, batch_size=20),
        seed=0,
        device=CPU,
    )


def weights(job: TrainingJob) -> dict[str, np.ndarray]:
    return {key: value.numpy() for key, value in train(job).module.state_dict().items()}


def same(left, right) -> bool:
    return all(np.array_equal(left[key], right[key]) for key in left)


def test_one_step_of_gradient_descent_is_the_one_computed_by_hand(job):
    untrained = weights(replace(job, schedule=Schedule(epochs=0)))
    schedule = Schedule(epochs=1, batch_size=60, optimizer="SGD", learning_rate=0.5)
    trained = weights(replace(job, schedule=schedule))

    pixels = job.train.images.reshape(60, 16).astype(np.float64) / 255
    weight, bias = untrained["2.weight"], untrained["2.bias"]
    logits = pixels @ weight.T + bias
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    error = (probabilities - np.eye(CLASSES)[job.train.labels]) / 60
    np.testing.assert_allclose(trained["2.weight"], weight - 0.5 * error.T @ pixels, atol=1e-6)
    np.testing.assert_allclose(trained["2.bias"], bias - 0.5 * error.sum(axis=0), atol=1e-6)


def test_a_seed_gives_the_same_weights_and_another_seed_others(job):
    with_dropout = replace(job, heuristics=(Drop(),))
    before = torch.get_rng_state()
    first = weights(with_dropout)
    torch.manual_seed(5)
    assert same(first, weights(with_dropout))
    assert not same(first, weights(replace(with_dropout, seed=1)))
    torch.set_rng_state(before)
    train(with_dropout)
    assert torch.equal(torch.get_rng_state(), before)


@dataclass(frozen=True)
class Drop(Heuristic):
    def configure(self, recipe):
        return replace(recipe, options=replace(recipe.options, dropout=0.5))


def test_curves_do_not_change_the_weights(job):
    with_curve = replace(job, heuristics=(Drop(),), curve=(CurveView(Component(), "all"),))
    assert same(weights(with_curve), weights(replace(with_curve, curve=())))


def test_the_curve_holds_accuracy_and_loss_of_both_splits_after_each_epoch(job):
    result = train(replace(job, curve=(CurveView(Component(), "all"),), curve_samples=15))

    assert len(result.curve) == 2 * 2 * 2
    assert {(point.epoch, point.split, point.metric) for point in result.curve} == {
        (epoch, split, metric)
        for epoch in (1, 2)
        for split in ("train", "test")
        for metric in ("top1", "loss")
    }
    assert {point.n for point in result.curve} == {15}
    last = next(
        point.value
        for point in result.curve
        if (point.epoch, point.split, point.metric) == (2, "test", "top1")
    )
    chosen = job.test.sample(15)
    with torch.no_grad():
        logits = result.module(torch.from_numpy(chosen.images).float() / 255)
    assert last == pytest.approx(float((logits.argmax(1).numpy() == chosen.labels).mean()))


@dataclass(frozen=True)
class Swap(Heuristic):
    """Every label becomes the next one."""

    def relabel(self, labels, classes, generator):
        return (labels + 1) % classes


def test_relabelled_training_is_measured_on_the_labels_that_are_trained_on(job):
    schedule = Schedule(epochs=300, batch_size=60, learning_rate=0.05)
    curve = (CurveView(Component(), "all"),)
    result = train(replace(job, heuristics=(Swap(),), schedule=schedule, curve=curve))

    train_points = [p.value for p in result.curve if (p.split, p.metric) == ("train", "top1")]
    with torch.no_grad():
        logits = result.module(torch.from_numpy(job.train.images).float() / 255)
    relabelled = (logits.argmax(1).numpy() == (job.train.labels + 1) % CLASSES).mean()
    original = (logits.argmax(1).numpy() == job.train.labels).mean()
    assert train_points[-1] == pytest.approx(relabelled)
    assert relabelled > original


@dataclass(frozen=True)
class Watch(Heuristic):
    """Keeps the batches that the model is trained on."""

    seen: list[Batch]

    def transform(self, batch, model, generator):
        self.seen.append(batch)
        return batch


@dataclass(frozen=True)
class Halves:
    """The low part is half of the image."""

    parts = ("lfc", "hfc")

    def split(self, images, cutoffs):
        return [(images / 2, images / 2) for _ in cutoffs]


def test_each_epoch_shows_every_image_once_as_the_component(job):
    seen: list[Batch] = []
    component = Component(Halves(), 0, 1.0)
    train(replace(job, heuristics=(Watch(seen),), component=component))

    assert len(seen) == 6
    for epoch in (seen[:3], seen[3:]):
        pixels = torch.cat([batch.images for batch in epoch]).flatten(1)
        expected = torch.from_numpy(job.train.images).float().flatten(1) / 510
        assert torch.allclose(pixels.sum(1).sort()[0], expected.sum(1).sort()[0], atol=1e-5)
    assert not torch.equal(seen[0].images, seen[3].images)
    assert torch.equal(seen[0].targets.sum(1), torch.ones(20))


def test_a_loss_that_is_no_number_ends_the_training(job):
    schedule = Schedule(epochs=2, optimizer="SGD", learning_rate=3e38, batch_size=20)
    with pytest.raises(NodeError, match=r"the training loss is (nan|inf) in epoch 1"):
        train(replace(job, schedule=schedule))


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (Schedule(optimizer="Adma"), "did you mean"),
        (Schedule(optimizer="SGD", optimizer_options={"momentun": 1}), "did you mean 'momentum'"),
        (Schedule(optimizer="SGD", optimizer_options={"momentum": -1}), "Invalid momentum"),
    ],
)
def test_optimizers_that_do_not_exist_are_named(job, schedule, message):
    with pytest.raises(SpecificationError, match=message):
        train(replace(job, schedule=schedule))
