"""The loss that heuristics decide, or leave as it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hfcbench.devices import generator_for, seeded
from hfcbench.errors import NodeError, SpecificationError
from hfcbench.recipes import configured
from hfcbench.training.loop import train
from hfcbench.types import Batch, Heuristic, Schedule


@dataclass(frozen=True)
class Losing(Heuristic):
    change: object

    def loss(self, batch, model, generator):
        return self.change(batch, model, generator)


class Other(Losing):
    pass


@dataclass(frozen=True)
class Soften(Heuristic):
    def transform(self, batch, model, generator):
        noise = torch.rand(batch.images.shape, generator=generator)
        return Batch(batch.images / 2 + noise / 10, batch.targets * 0.7 + 0.1)


def cross_entropy(batch, model, generator):
    return F.cross_entropy(model(batch.images), batch.targets)


def trained(job, *heuristics, **changes):
    module = train(replace(job, heuristics=heuristics, **changes)).module
    return {name: value.numpy() for name, value in module.state_dict().items()}


def same(left, right):
    return all(np.array_equal(left[name], right[name]) for name in left)


class Convolutional:
    def check(self, shape, classes, options):
        pass

    def build(self, shape, classes, options):
        return nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(0.5), nn.Linear(16, 3)
        )


def by_a_loop_without_the_hook(job, heuristic):
    """The training loop of models without a heuristic that decides the loss, written again."""
    with seeded(job.device, job.seed, "initialisation"):
        module = job.model.build(job.shape, job.classes, None)
    module = module.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-4, fused=True)
    order = generator_for(job.device, job.seed, "order")
    own = generator_for(job.device, job.seed, "heuristic", 0)
    labels = torch.from_numpy(job.train.labels)
    for epoch in (1, 2):
        with seeded(job.device, job.seed, "layers", epoch):
            for chosen in torch.randperm(60, generator=order).split(20):
                images = torch.from_numpy(job.train.images)[chosen].float() / 255
                batch = Batch(images, F.one_hot(labels[chosen], 3).float())
                batch = heuristic.transform(batch, module, own)
                images = batch.images.contiguous(memory_format=torch.channels_last)
                optimizer.zero_grad()
                F.cross_entropy(module(images), batch.targets).backward()
                optimizer.step()
    return {name: value.numpy() for name, value in module.state_dict().items()}


def test_weights_without_such_a_heuristic_are_what_they_were_bit_by_bit(job):
    job = replace(job, model=Convolutional())
    expected = by_a_loop_without_the_hook(job, Soften())
    assert same(expected, trained(job, Soften()))
    assert same(expected, trained(job, Soften(), Losing(lambda *_: None)))
    assert same(expected, trained(job, Soften(), Losing(cross_entropy)))
    assert not same(expected, trained(job, Soften(), Losing(lambda *all: 2 * cross_entropy(*all))))


def test_one_step_down_another_loss_is_the_one_computed_by_hand(job):
    schedule = Schedule(epochs=1, batch_size=60, optimizer="SGD", learning_rate=0.5)
    squares = Losing(lambda batch, model, _: (model(batch.images) - batch.targets).square().mean())
    after = trained(job, squares, schedule=schedule)
    before = trained(job, schedule=replace(schedule, epochs=0))
    pixels = job.train.images.reshape(60, -1) / 255
    error = pixels @ before["2.weight"].T + before["2.bias"] - np.eye(3)[job.train.labels]
    weight = before["2.weight"] - 0.5 * 2 * error.T @ pixels / error.size
    np.testing.assert_allclose(after["2.weight"], weight, atol=1e-6)
    bias = before["2.bias"] - 0.5 * 2 * error.sum(0) / error.size
    np.testing.assert_allclose(after["2.bias"], bias, atol=1e-6)


def test_the_loss_sees_what_all_transforms_made_of_the_batch(job):
    seen: list[float] = []

    def watch(batch, model, generator):
        seen.append(float(batch.targets.amax()))
        assert model.training

    trained(job, Losing(watch), Soften())
    assert seen == [pytest.approx(0.8)] * 6


def test_gradients_that_a_heuristic_leaves_behind_are_not_stepped_along(job):
    def careless(batch, model, generator):
        (100 * cross_entropy(batch, model, generator)).backward()

    assert same(trained(job), trained(job, Losing(careless)))


def test_it_draws_from_the_heuristics_own_generator(job):
    draws: list[float] = []

    def draw(batch, model, generator):
        draws.append(float(torch.rand((), generator=generator)))

    trained(job, Heuristic(), Losing(draw))
    own = generator_for(torch.device("cpu"), 0, "heuristic", 1)
    assert draws == [float(torch.rand((), generator=own)) for _ in range(6)]


def test_two_that_decide_it_are_refused_though_they_claim_nothing(job):
    with pytest.raises(NodeError, match="decide the loss: Losing and Other"):
        trained(job, Losing(cross_entropy), Other(cross_entropy))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda *_: 1.0, "heuristic Losing returned float as loss"),
        (lambda batch, model, _: model(batch.images), r"a loss of shape \(20, 3\)"),
        (lambda batch, *_: batch.images.mean(), "a loss without a gradient"),
    ],
)
def test_what_is_no_loss_is_named(job, loss, message):
    with pytest.raises(NodeError, match=message):
        trained(job, Losing(loss))


@dataclass(frozen=True)
class OnlySmallBatches(Heuristic):
    def check(self, recipe):
        if recipe.schedule.batch_size > 10:
            raise SpecificationError("batches are too large")


@dataclass(frozen=True)
class SmallBatches(Heuristic):
    def configure(self, recipe):
        return replace(recipe, schedule=replace(recipe.schedule, batch_size=10))


def test_heuristics_check_the_complete_recipe(job):
    with pytest.raises(SpecificationError, match="too large"):
        trained(job, OnlySmallBatches())
    for heuristics in [(OnlySmallBatches(), SmallBatches()), (SmallBatches(), OnlySmallBatches())]:
        assert configured(Schedule(), heuristics).schedule.batch_size == 10
