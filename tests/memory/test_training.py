"""Trainings that run out of memory take the same steps, or say that they cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.errors import NodeError
from hfcbench.frequency.components import ORIGINAL
from hfcbench.heuristics.adversarial_training import AdversarialTraining
from hfcbench.heuristics.mixup import Mixup
from hfcbench.heuristics.trades import Trades
from hfcbench.memory.wholeness import why_whole
from hfcbench.training.before_step import BeforeStep
from hfcbench.training.job import CurveView, TrainingJob
from hfcbench.training.loop import train
from hfcbench.types import Batch, Heuristic, ImageShape, ImageSplit, Schedule

SGD = Schedule(
    epochs=2,
    batch_size=20,
    optimizer="SGD",
    learning_rate=0.1,
    optimizer_options={"momentum": 0.9},
    augmentation="crop-flip",
)


@dataclass(frozen=True)
class Built:
    """What a function makes of the freshly made needy model."""

    make: object

    def check(self, shape, classes, options):
        pass

    def build(self, shape, classes, options):
        return self.make()


def images(count: int, seed: int) -> ImageSplit:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (count, 3, 4, 4), dtype=np.uint8)
    return ImageSplit(pixels, generator.integers(0, 3, count))


def job(make, **more) -> TrainingJob:
    settings = {"heuristics": (), "schedule": SGD, **more}
    return TrainingJob(
        train=images(50, 1),
        test=images(30, 2),
        shape=ImageShape(3, 4, 4),
        classes=3,
        model=Built(make),
        seed=0,
        device=torch.device("cpu"),
        **settings,
    )


def weights(result):
    return {name: value.numpy() for name, value in result.module.state_dict().items()}


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


HEURISTICS = {
    "vanilla": (),
    "mixup": (Mixup(),),
    "adversarial": (AdversarialTraining(epsilon=0.1, steps=2, step_share=0.5, random_start=True),),
    "trades": (Trades(steps=2),),
}


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("name", HEURISTICS)
def test_the_steps_are_those_of_whole_batches(name, optimizer, memory, needy):
    """Momentum, augmentation and heuristics' draws included; only sums are rounded otherwise."""
    options = SGD.optimizer_options if optimizer == "SGD" else {}
    schedule = replace(SGD, optimizer=optimizer, optimizer_options=options)
    given = {"heuristics": HEURISTICS[name], "schedule": schedule}
    expected = train(job(lambda: needy(memory(1000)), **given))
    tight = memory(13)
    found = train(job(lambda: needy(tight), **given))
    assert_close(weights(found), weights(expected))
    assert tight.failures == [20]
    assert len(found.notes) == 1
    assert expected.notes == ()
    start = needy(memory(1)).weight.detach().numpy()
    assert np.abs(weights(expected)["weight"] - start).max() > 1e-2


class Counting(nn.Module):
    """Remembers, by seed of the draw, what it was trained on."""

    def __init__(self, model, seen):
        super().__init__()
        self.model = model
        self.seen = seen

    def forward(self, images):
        self.seen.append(images.detach().clone())
        return self.model(images)


def test_a_repeated_step_draws_the_same(memory, needy):
    """What the model was given when it failed is what it is given again, part by part."""
    seen: list[torch.Tensor] = []
    given = {"heuristics": (Mixup(),), "schedule": replace(SGD, epochs=1)}
    train(job(lambda: Counting(needy(memory(13)), seen), **given))
    failed = seen[0]
    assert len(failed) == 20
    # The two images of the check come between; every part is computed again for its gradient.
    again = [part for part in seen[1:] if len(part) >= 8][:2]
    assert torch.equal(torch.cat(again), failed)


class Failing(nn.Module):
    """Fails once, at a call, after all that a layer with buffers and randomness does."""

    def __init__(self, inner, error, at):
        super().__init__()
        self.inner = inner
        self.error, self.at, self.calls = error, at, 0

    def forward(self, images):
        answers = self.inner(images)
        self.calls += 1
        if self.calls == self.at:
            raise self.error()
        return answers


def network(*layers):
    torch.manual_seed(0)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(48, 3))


def test_batchnorm_needs_the_whole_batch(errors):
    make = lambda: Failing(network(nn.BatchNorm2d(3)), errors["cuda"], 2)  # noqa: E731
    with pytest.raises(NodeError, match="BatchNorm or another layer has put it into its") as told:
        train(job(make))
    assert "batch of 20 images of 3x4x4" in str(told.value)
    assert "(asked for 2.50 GiB)" in str(told.value)
    assert "--batch-size" in str(told.value)


def test_batchnorm_without_averages_needs_it_too(memory):
    class Normed(nn.Module):
        def __init__(self):
            super().__init__()
            self.needy = memory(13)
            self.inner = network(nn.BatchNorm2d(3, track_running_stats=False))

        def forward(self, images):
            self.needy.take(len(images))
            return self.inner(images)

    with pytest.raises(NodeError, match="BatchNorm takes its mean and variance over it"):
        train(job(Normed))


class Dropping(nn.Module):
    """Draws before or after it fails, as ``first`` says."""

    def __init__(self, needy, p):
        super().__init__()
        self.needy, self.p = needy, p

    def forward(self, images):
        return self.needy(nn.functional.dropout(images, self.p, self.training))


def test_dropout_draws_otherwise_in_parts_and_so_needs_the_whole_batch(memory, needy):
    with pytest.raises(NodeError, match="layers such as dropout draw at random") as told:
        train(job(lambda: Dropping(needy(memory(13)), 0.5)))
    assert "--batch-size" in str(told.value)
    # Dropout that drops nothing draws nothing.
    assert train(job(lambda: Dropping(needy(memory(13)), 0.0))).notes


class Mixing(nn.Module):
    """An image's answer depends on the others."""

    def __init__(self, needy):
        super().__init__()
        self.needy = needy

    def forward(self, images):
        return self.needy(images - images.mean(0) if self.training else images)


def test_a_model_that_mixes_images_needs_the_whole_batch(memory, needy):
    with pytest.raises(NodeError, match="an image's answer depends on the others in it"):
        train(job(lambda: Mixing(needy(memory(13)))))


def test_dropout_draws_the_same_after_a_failure_of_something_else(errors, memory, needy):
    """Another's memory on the device: the attack is repeated in parts, then the step fits."""

    class Once(Heuristic):
        tried = 0

        def transform(self, batch, model, generator):
            noise = torch.rand(batch.images.shape, generator=generator)
            torch.rand(3)
            type(self).tried += 1
            model.eval()
            model(batch.images)
            if self.tried == 1:
                raise errors["cuda"]()
            model.train()
            return Batch(0.9 * batch.images + 0.1 * noise, batch.targets)

    def made():
        return network(nn.BatchNorm2d(3), nn.Dropout(0.5))

    class Never(Once):
        tried = 1

    expected = train(job(made, heuristics=(Never(),)))
    found = train(job(made, heuristics=(Once(),)))
    for name, value in weights(expected).items():
        np.testing.assert_array_equal(weights(found)[name], value, err_msg=name)
    assert len(found.notes) == 1


def test_a_heuristic_that_changes_images_in_place_cannot_be_called_twice(memory, needy):
    class InPlace(Heuristic):
        def transform(self, batch, model, generator):
            batch.images.mul_(0.5)
            return batch

    from hfcbench.decompositions.fft_radial import FFTRadial
    from hfcbench.frequency.components import Component

    component = Component(FFTRadial(), 0, 2.0)
    schedule = replace(SGD, augmentation="none")
    given = {"heuristics": (InPlace(),), "component": component, "schedule": schedule}
    with pytest.raises(NodeError, match="a heuristic has changed its images in place"):
        train(job(lambda: needy(memory(13)), **given))
    assert not train(job(lambda: needy(memory(20)), **given)).notes


def test_where_two_images_do_not_fit_the_training_fails(memory, needy):
    with pytest.raises(NodeError, match="out of memory"):
        train(job(lambda: needy(memory(1.5))))


def test_batches_are_never_taken_apart_into_single_images(errors, memory, needy):
    """Two at once are too many for gradients only, so that it is no matter of looking at two."""

    class ForOne(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = needy(memory(1000))

        def forward(self, images):
            if torch.is_grad_enabled() and len(images) > 1:
                raise errors["cuda"]()
            return self.inner(images)

    with pytest.raises(NodeError, match="with 2 images of 3x4x4 in the model"):
        train(job(ForOne))


def test_gradients_of_a_failed_step_are_given_back_before_it_is_repeated():
    model = network()
    given = torch.rand(4, 3, 4, 4)
    before = BeforeStep(model, [], given, [])
    model(given).sum().backward()
    assert before.undo() is None
    assert [parameter.grad for parameter in model.parameters()] == [None, None]


def test_looking_at_two_images_leaves_the_model_as_it_was():
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(1))

        def forward(self, images):
            self.seen += len(images)
            return images.flatten(1)

    model = Counts()
    why = why_whole(model, model.forward, torch.rand(2, 3, 4, 4))
    assert why == "the model counts or averages over its batches"
    assert model.seen == 0


def test_curves_are_measured_in_parts_and_leave_the_weights_alone(memory, needy):
    views = (CurveView(ORIGINAL, "0"),)
    roomy = train(job(lambda: needy(memory(1000)), curve=views))
    found = train(job(lambda: needy(memory(25)), curve=views))
    for name, value in weights(roomy).items():
        np.testing.assert_array_equal(weights(found)[name], value, err_msg=name)
    assert found.curve == roomy.curve
    assert found.notes == ("curve: out of memory at 50 images: in parts of 14 from there on",)
