"""TRADES: loss, attack and step against NumPy, and what it does to a network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.adversarial.gradient import gradient_and_logits
from hfcbench.attacks.pgd import PGD
from hfcbench.datasets.planted_band import PlantedBand
from hfcbench.devices import generator_for
from hfcbench.errors import NodeError, SpecificationError
from hfcbench.heuristics.mixup import Mixup
from hfcbench.heuristics.trades import Trades
from hfcbench.models.lenet5 import LeNet5
from hfcbench.recipes import configured
from hfcbench.training.job import TrainingJob
from hfcbench.training.loop import train
from hfcbench.types import (
    Batch,
    DataLocation,
    Heuristic,
    ImageShape,
    ImageSplit,
    ModelOptions,
    Recipe,
    Schedule,
)

CPU = torch.device("cpu")
WEIGHTS = np.array([[4.0, -2.0, 0.5, 1.0], [-1.0, 3.0, 2.0, -0.5], [0.0, 1.0, -3.0, 0.3]])


def linear():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3, bias=False))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor(WEIGHTS))
    return model


def batch(count=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(count, 1, 2, 2, generator=generator)
    # On the border of the range too, where the ball is cut.
    images[0, 0, 0, 0], images[1, 0, 1, 1] = 0, 1
    targets = torch.rand(count, 3, generator=generator).softmax(1)
    return Batch(images, targets)


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def divergences(clean, moved):
    """KL(p || q), one for each row of logits."""
    return (np.exp(log_softmax(clean)) * (log_softmax(clean) - log_softmax(moved))).sum(1)


def moved_by_hand(pixels, noise, weights, epsilon, steps, step_share=0.23, bias=0.0):
    """Algorithm 1 of the source for a linear model, whose gradient is known."""
    probabilities = np.exp(log_softmax(pixels @ weights.T + bias))
    current = pixels + 0.001 * noise
    for _ in range(steps):
        gradient = (np.exp(log_softmax(current @ weights.T + bias)) - probabilities) @ weights
        current = current + step_share * epsilon * np.sign(gradient)
        current = np.clip(current, pixels - epsilon, pixels + epsilon).clip(0, 1)
    return current


def noise_of(generator, shape):
    return torch.randn(shape, generator=generator).numpy().reshape(shape[0], -1)


@pytest.mark.parametrize("steps", [1, 4, 10])
def test_attack_and_loss_are_those_computed_by_hand(steps):
    given, heuristic = batch(), Trades(beta=2.5, epsilon=0.1, steps=steps)
    noise = noise_of(torch.Generator().manual_seed(7), given.images.shape)
    pixels, targets = given.images.numpy().reshape(5, -1), given.targets.numpy()
    moved = moved_by_hand(pixels, noise, WEIGHTS, 0.1, steps)

    attacked = heuristic.attacked(given.images, linear(), torch.Generator().manual_seed(7))
    np.testing.assert_allclose(attacked.numpy().reshape(5, -1), moved, atol=1e-6)

    clean = pixels @ WEIGHTS.T
    cross_entropy = -(targets * log_softmax(clean)).sum(1).mean()
    expected = cross_entropy + 2.5 * divergences(clean, moved @ WEIGHTS.T).mean()
    loss = heuristic.loss(given, linear(), torch.Generator().manual_seed(7))
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert expected > cross_entropy + 0.01


def test_the_divergence_has_the_gradient_of_the_cross_entropy_against_fixed_answers():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(16, 3)).double()
    images = torch.rand(6, 1, 4, 4, dtype=torch.double)
    answers = model(images).softmax(1).detach()
    moved = (images + 0.05 * torch.randn_like(images)).requires_grad_()
    divergence = nn.KLDivLoss(reduction="sum")(model(moved).log_softmax(1), answers)
    (expected,) = torch.autograd.grad(divergence, moved)
    gradient, _ = gradient_and_logits(model.eval(), moved, answers)
    torch.testing.assert_close(gradient, expected)
    assert expected.abs().amax() > 1e-4


def test_it_climbs_far_although_the_images_themselves_have_no_gradient():
    given = batch(40)
    answers = linear()(given.images).softmax(1).detach()
    gradient, _ = gradient_and_logits(linear().eval(), given.images, answers)
    assert gradient.abs().amax() < 1e-6
    attacked = Trades(epsilon=0.1).attacked(given.images, linear(), torch.Generator())
    signs = torch.randn(given.images.shape, generator=torch.Generator()).sign()
    by_chance = given.images + 0.1 * signs
    clean, far, near = (
        images.numpy().reshape(40, -1) @ WEIGHTS.T for images in (given.images, attacked, by_chance)
    )
    assert divergences(clean, far).mean() > 2 * divergences(clean, near).mean()


class Linear:
    def check(self, shape, classes, options):
        pass

    def build(self, shape, classes, options):
        return nn.Sequential(nn.Flatten(), nn.Linear(16, classes))


@dataclass(frozen=True)
class Watch(Heuristic):
    seen: list

    def transform(self, batch, model, generator):
        self.seen.append(batch)
        return batch


def job(*heuristics, schedule, model=None, count=20):
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (count, 1, 4, 4), dtype=np.uint8)
    split = ImageSplit(pixels, generator.integers(0, 3, count))
    shape = ImageShape(1, 4, 4)
    return TrainingJob(split, split, shape, 3, model or Linear(), schedule, 0, CPU, heuristics)


def state(given):
    return {name: value.numpy() for name, value in train(given).module.state_dict().items()}


def test_one_step_of_gradient_descent_is_the_one_computed_by_hand():
    seen: list[Batch] = []
    schedule = Schedule(epochs=1, batch_size=20, optimizer="SGD", learning_rate=0.3)
    heuristics = (Watch(seen), Trades(beta=2.0, epsilon=0.2, steps=3))
    after = state(job(*heuristics, schedule=schedule))
    before = state(job(*heuristics, schedule=replace(schedule, epochs=0)))

    pixels, targets = seen[0].images.numpy().reshape(20, -1), seen[0].targets.numpy()
    noise = noise_of(generator_for(CPU, 0, "heuristic", 1), (20, 1, 4, 4))
    weight, bias = before["1.weight"], before["1.bias"]
    moved = moved_by_hand(pixels, noise, weight, 0.2, 3, bias=bias)
    clean, far = (points @ weight.T + bias for points in (pixels, moved))
    p, q = np.exp(log_softmax(clean)), np.exp(log_softmax(far))
    # The divergence has a gradient through the clean images' answers too.
    through_clean = p - targets + 2 * p * (np.log(p / q) - divergences(clean, far)[:, None])
    through_moved = 2 * (q - p)
    weight = weight - 0.3 * (through_clean.T @ pixels + through_moved.T @ moved) / 20
    bias = bias - 0.3 * (through_clean + through_moved).sum(0) / 20
    np.testing.assert_allclose(after["1.weight"], weight, atol=1e-6)
    np.testing.assert_allclose(after["1.bias"], bias, atol=1e-6)


def test_without_beta_it_is_vanilla_training_on_augmented_images():
    schedule = Schedule(epochs=3, batch_size=7, learning_rate=0.01)
    augmented = state(job(schedule=replace(schedule, augmentation="crop-flip")))
    none, little, much = (
        state(job(Trades(beta=beta, epsilon=0.1), schedule=schedule)) for beta in (0, 1e-4, 6)
    )
    away = {
        beta: max(np.abs(one[name] - augmented[name]).max() for name in augmented)
        for beta, one in (("none", none), ("little", little), ("much", much))
    }
    assert away["none"] == 0
    assert 0 < away["little"] < 1e-3 < 1e-2 < away["much"]


def test_batchnorm_averages_over_clean_and_attacked_images_and_not_over_steps():
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(1)
    model = nn.Sequential(norm, nn.Flatten(), nn.Linear(4, 3)).train()
    given = batch(30)
    attacked = Trades(epsilon=0.3).attacked(given.images, model, torch.Generator().manual_seed(1))
    assert (norm.num_batches_tracked, model.training) == (0, True)
    Trades(epsilon=0.3).loss(given, model, torch.Generator().manual_seed(1))
    assert norm.num_batches_tracked == 2
    mean = 0.0
    for images in (given.images, attacked):
        mean = 0.9 * mean + 0.1 * float(images.mean())
    assert norm.running_mean.item() == pytest.approx(mean, rel=1e-5)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_dropout_takes_part_in_the_loss_but_not_in_the_attack():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 3)).train()
    given = batch()
    attacked = [
        Trades().attacked(given.images, model, torch.Generator().manual_seed(1)) for _ in range(2)
    ]
    assert torch.equal(*attacked)
    losses = {Trades().loss(given, model, torch.Generator().manual_seed(1)) for _ in range(5)}
    assert len({loss.item() for loss in losses}) == 5


@pytest.mark.parametrize("mixing_first", [True, False])
def test_mixed_images_are_what_is_attacked_wherever_mixup_stands(mixing_first):
    attacked: list[Batch] = []

    @dataclass(frozen=True)
    class Watched(Trades):
        def loss(self, batch, model, generator):
            attacked.append(batch)
            return super().loss(batch, model, generator)

    schedule = Schedule(epochs=1, batch_size=20)
    pair = [Mixup(alpha=50.0), Watched(steps=1)]
    train(job(*(pair if mixing_first else reversed(pair)), schedule=schedule))
    # Halves of two classes for most images; no target of a single image is below 1.
    assert (attacked[0].targets.amax(1) < 0.8).float().mean() > 0.3


def test_components_beyond_the_pixel_range_are_refused():
    given = Batch(batch().images - 0.5, batch().targets)
    with pytest.raises(NodeError, match=r"(?s)needs images in \[0,1\].*--rescaling clip"):
        Trades().loss(given, linear(), torch.Generator())


def test_it_augments_and_claims_the_loss():
    recipe = Trades().configure(Recipe())
    assert recipe.schedule.augmentation == "crop-flip"
    assert recipe.options == ModelOptions()
    other = Recipe().claimed("the loss", "margins")
    with pytest.raises(SpecificationError, match="decide the loss: 'margins' and 'trades'"):
        Trades().configure(other)
    with pytest.raises(SpecificationError, match=r"decide adv.*: 'trades' and 'trades'"):
        configured(Schedule(), [Trades(), Trades(beta=1)])


def read(dataset, name):
    parts = list(dataset.read(DataLocation(), name))
    return ImageSplit(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def test_a_network_trained_by_it_is_more_robust_than_one_on_the_same_augmented_images():
    dataset = PlantedBand(size=16, classes=3, outer=4, evidence=0.1, test_per_class=50)
    splits = [read(dataset, name) for name in ("train", "test")]
    schedule = Schedule(epochs=8, batch_size=30, learning_rate=3e-3, augmentation="crop-flip")
    images = torch.from_numpy(splits[1].images).float() / 255
    labels = torch.from_numpy(splits[1].labels)
    accuracies = []
    for heuristics in ((), (Trades(steps=3, step_share=0.5),)):
        given = TrainingJob(
            *splits, ImageShape(1, 16, 16), 3, LeNet5(), schedule, 0, CPU, heuristics
        )
        model = train(given).module
        (attacked,) = PGD().perturb(model, images, labels, [0.03], torch.Generator())
        with torch.no_grad():
            answers = [model(each).argmax(1) == labels for each in (images, attacked)]
        accuracies.append([float(right.float().mean()) for right in answers])
    (vanilla, vanilla_robust), (accuracy, robust) = accuracies
    assert min(vanilla, accuracy) > 0.9
    assert robust > vanilla_robust + 0.3
