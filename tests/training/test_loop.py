"""The training loop against steps computed by hand, and its promises about seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.errors import NodeError
from hfcbench.frequency.components import Component
from hfcbench.training.job import CurveView, TrainingJob
from hfcbench.training.loop import configured, train
from hfcbench.types import Batch, Heuristic, Recipe, Schedule

CLASSES = 3
ALL = (CurveView(Component(), "all"),)


class Convolutional:
    """With everything that could depend on more than the seed: buffers and random layers."""

    def check(self, shape, classes, options):
        pass

    def build(self, shape, classes, options):
        return nn.Sequential(
            nn.Conv2d(shape.channels, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(16, classes),
        )


def weights(job: TrainingJob) -> dict[str, np.ndarray]:
    return {key: value.cpu().numpy() for key, value in train(job).module.state_dict().items()}


def same(left, right) -> bool:
    return all(np.array_equal(left[key], right[key]) for key in left)


def one_step(job, images, targets, rate):
    """Weight and bias after one step of gradient descent from the job's initial ones."""
    initial = weights(replace(job, schedule=Schedule(epochs=0)))
    weight, bias = initial["2.weight"], initial["2.bias"]
    pixels = images.reshape(len(images), -1).astype(np.float64)
    logits = pixels @ weight.T + bias
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    error = (probabilities - targets) / len(images)
    return weight - rate * error.T @ pixels, bias - rate * error.sum(axis=0)


def test_one_step_of_gradient_descent_is_the_one_computed_by_hand(job):
    schedule = Schedule(epochs=1, batch_size=60, optimizer="SGD", learning_rate=0.5)
    trained = weights(replace(job, schedule=schedule))
    targets = np.eye(CLASSES)[job.train.labels]
    weight, bias = one_step(job, job.train.images / 255, targets, 0.5)
    np.testing.assert_allclose(trained["2.weight"], weight, atol=1e-6)
    np.testing.assert_allclose(trained["2.bias"], bias, atol=1e-6)


@dataclass(frozen=True)
class Soften(Heuristic):
    """Half of each image, and targets that are spread over the classes."""

    def transform(self, batch, model, generator):
        return Batch(batch.images / 2, batch.targets * 0.7 + 0.1)


@dataclass(frozen=True)
class Invert(Heuristic):
    def transform(self, batch, model, generator):
        return Batch(1 - batch.images, batch.targets)


def test_the_model_is_trained_on_what_heuristics_make_of_a_batch_in_their_order(job):
    schedule = Schedule(epochs=1, batch_size=60, optimizer="SGD", learning_rate=0.5)
    trained = weights(replace(job, schedule=schedule, heuristics=(Soften(), Invert())))
    targets = np.eye(CLASSES)[job.train.labels] * 0.7 + 0.1
    weight, bias = one_step(job, 1 - job.train.images / 510, targets, 0.5)
    np.testing.assert_allclose(trained["2.weight"], weight, atol=1e-6)
    np.testing.assert_allclose(trained["2.bias"], bias, atol=1e-6)


@dataclass(frozen=True)
class Epochs(Heuristic):
    change: object

    def configure(self, recipe):
        epochs = self.change(recipe.schedule.epochs)
        return replace(recipe, schedule=replace(recipe.schedule, epochs=epochs))


def test_heuristics_configure_in_their_order(job):
    heuristics = (Epochs(lambda epochs: epochs + 1), Epochs(lambda epochs: epochs * 2))
    assert configured(Schedule(epochs=1), heuristics).schedule.epochs == 4
    told: list[tuple[int, int]] = []
    result = train(
        replace(job, heuristics=heuristics, schedule=Schedule(epochs=0)),
        lambda done, epochs: told.append((done, epochs)),
    )
    assert told == [(1, 2), (2, 2)]
    assert result.recipe == Recipe(Schedule(epochs=2))
    assert result.parameter_count == 16 * 3 + 3
    assert not result.module.training


def test_the_vanilla_schedule_is_the_papers():
    vanilla = Schedule()
    assert (vanilla.optimizer, vanilla.learning_rate, vanilla.optimizer_options) == (
        "Adam",
        1e-4,
        {},
    )
    assert (vanilla.batch_size, vanilla.epochs, vanilla.augmentation) == (100, 100, "none")


@pytest.mark.parametrize("augmentation", ["none", "flip", "crop-flip"])
def test_a_seed_gives_the_same_weights_and_another_seed_others(job, augmentation):
    schedule = replace(job.schedule, augmentation=augmentation)
    random = replace(job, model=Convolutional(), schedule=schedule, heuristics=(Noise(),))
    before = torch.get_rng_state()
    first = weights(random)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(5)
    assert same(first, weights(random))
    assert not same(first, weights(replace(random, seed=1)))
    torch.set_rng_state(before)


@dataclass(frozen=True)
class Noise(Heuristic):
    def transform(self, batch, model, generator):
        noise = torch.rand(batch.images.shape, generator=generator)
        return Batch(batch.images + 0.01 * noise, batch.targets)


@pytest.mark.parametrize("samples", [None, 7])
def test_curves_do_not_change_the_weights_or_buffers(job, samples):
    random = replace(job, model=Convolutional(), heuristics=(Noise(),))
    measured = replace(random, curve=ALL, curve_samples=samples)
    without, with_curve = weights(random), weights(measured)
    assert without.keys() == with_curve.keys()
    assert "1.running_var" in without
    assert same(without, with_curve)


@dataclass(frozen=True)
class Watch(Heuristic):
    """Keeps the batches that the model is trained on."""

    seen: list[Batch]

    def transform(self, batch, model, generator):
        self.seen.append(batch)
        return batch


def watched(job: TrainingJob, *heuristics: Heuristic, **changes) -> list[Batch]:
    seen: list[Batch] = []
    train(replace(job, heuristics=(*heuristics, Watch(seen)), **changes))
    return seen


@dataclass(frozen=True)
class Halves:
    """The low part is half of the image."""

    parts = ("lfc", "hfc")

    def split(self, images, cutoffs):
        return [(images / 2, images / 2) for _ in cutoffs]


def test_each_epoch_shows_every_image_once_as_the_component(job):
    seen = watched(job, component=Component(Halves(), 0, 1.0))
    assert [len(batch.images) for batch in seen] == [20] * 6
    expected = {(image / np.float32(510)).tobytes() for image in job.train.images}
    for epoch in (seen[:3], seen[3:]):
        shown = torch.cat([batch.images for batch in epoch]).numpy()
        assert {image.tobytes() for image in shown} == expected
    assert not torch.equal(seen[0].images, seen[3].images)


def test_images_keep_their_labels(job):
    labels = {
        image.tobytes(): label
        for image, label in zip(job.train.images, job.train.labels, strict=True)
    }
    for batch in watched(job):
        assert batch.targets.shape == (20, CLASSES)
        assert torch.equal(batch.targets.sum(1), torch.ones(20))
        pixels = (batch.images * 255).round().to(torch.uint8).numpy()
        assert batch.targets.argmax(1).tolist() == [labels[image.tobytes()] for image in pixels]


def test_a_component_is_cut_out_before_augmentation(job):
    schedule = Schedule(epochs=1, batch_size=60, augmentation="crop-flip")
    original, means = (
        watched(job, schedule=schedule, component=component)[0].images
        for component in (Component(), Component(Means(), 0, 1.0))
    )
    # Constant images show where they were cut out; those cut first would have lower means.
    inside = original.gt(0) & means.gt(0)
    values = [set(image[here].tolist()) for image, here in zip(means, inside, strict=True)]
    assert {len(value) for value in values if value} == {1}
    expected = {float(image.mean() / 255) for image in job.train.images}
    assert all(min(abs(v - e) for e in expected) < 1e-5 for value in values for v in value)


@dataclass(frozen=True)
class Means:
    """The low part is each image's mean."""

    parts = ("lfc", "hfc")

    def split(self, images, cutoffs):
        low = images.mean(dim=(1, 2, 3), keepdim=True).expand_as(images)
        return [(low, images - low) for _ in cutoffs]


def test_augmentation_and_heuristics_change_no_other_draws(job):
    plain = watched(job)
    noisy = watched(job, Noise())
    augmented = watched(job, schedule=replace(job.schedule, augmentation="crop-flip"))
    for one, two, three in zip(plain, noisy, augmented, strict=True):
        assert torch.equal(one.targets, two.targets)
        assert torch.equal(one.targets, three.targets)
        assert not torch.equal(one.images, two.images)
        assert not torch.equal(one.images, three.images)


def test_a_loss_that_is_no_number_ends_the_training(job):
    schedule = Schedule(epochs=2, optimizer="SGD", learning_rate=3e38, batch_size=20)
    message = r"the training loss is (nan|inf) in epoch 1 at learning rate 3e\+38"
    with pytest.raises(NodeError, match=message) as caught:
        train(replace(job, schedule=schedule))
    assert "smaller learning rate" in str(caught.value)


@dataclass(frozen=True)
class Huge(Heuristic):
    def transform(self, batch, model, generator):
        return Batch(batch.images * 1e5, batch.targets)


def test_weights_that_the_last_step_ruined_end_the_training(job):
    schedule = Schedule(epochs=1, optimizer="SGD", learning_rate=1e38, batch_size=60)
    with pytest.raises(NodeError, match="the weights are not finite in epoch 1"):
        train(replace(job, schedule=schedule, heuristics=(Huge(),)))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_seed_gives_the_same_weights_on_a_gpu(job):
    schedule = replace(job.schedule, augmentation="crop-flip")
    random = replace(
        job, model=Convolutional(), schedule=schedule, device=torch.device("cuda"), curve=ALL
    )
    assert same(weights(random), weights(replace(random, curve=())))
