"""Gradient attacks against models whose worst perturbation is known by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from hfcbench.attack_types import Attack
from hfcbench.attacks.band_pgd import BandPGD
from hfcbench.attacks.bim import BIM
from hfcbench.attacks.fgsm import FGSM
from hfcbench.attacks.mi_fgsm import MIFGSM
from hfcbench.attacks.pgd import PGD
from hfcbench.errors import NodeError

ATTACKS = [
    FGSM(),
    PGD(steps=4),
    PGD(steps=3, step_share=1.5, random_start=True),
    PGD(steps=4, step_share=0.5, norm="l2", restarts=2),
    BIM(step=0.02),
    MIFGSM(steps=4),
    MIFGSM(steps=4, norm="l2"),
    BandPGD(1, 3, steps=4),
    BandPGD(0, 2, steps=3, random_start=True, norm="l2"),
]


def linear(weight: torch.Tensor) -> nn.Module:
    """Two classes with logits 0 and the weighted sum of the pixels."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(weight.numel(), 2))
    with torch.no_grad():
        model[1].weight.copy_(torch.stack([torch.zeros(weight.numel()), weight.flatten()]))
        model[1].bias.zero_()
    return model.eval()


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)]
    return nn.Sequential(*layers).eval()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def lengths(attack: Attack, changes: torch.Tensor) -> np.ndarray:
    """How far each image was moved, in float64."""
    flat = changes.double().flatten(1).numpy()
    return np.linalg.norm(flat, ord=np.inf if attack.norm == "linf" else 2, axis=1)


@pytest.mark.parametrize(
    "attack", [FGSM(), PGD(steps=10), PGD(steps=30, random_start=True), BIM(), MIFGSM(steps=5)]
)
def test_a_linear_model_is_attacked_at_the_corner_of_the_ball(attack):
    weight = torch.tensor([[[0.5, -2.0], [1.0, 0.0]]])
    images = torch.tensor([[[[0.5, 0.5], [0.98, 0.3]]], [[[0.02, 0.99], [0.5, 0.6]]]])
    labels = torch.tensor([1, 0])
    found = attack.perturb(linear(weight), images, labels, [0.05, 0.1], generator())

    # Class 1 is lowered against the sign of the weights, class 0 is beaten along it.
    direction = torch.stack([-weight.sign(), weight.sign()])
    for epsilon, adversarial in zip((0.05, 0.1), found, strict=True):
        expected = (images + epsilon * direction).clamp(0, 1)
        pulled = weight.sign() != 0
        torch.testing.assert_close(adversarial[:, pulled], expected[:, pulled])


def test_pgd_takes_steps_of_its_share_of_epsilon():
    images = torch.full((1, 1, 2, 2), 0.5)
    model = linear(torch.tensor([[1.0, -1.0], [1.0, 1.0]]))
    (found,) = PGD(steps=3, step_share=0.1).perturb(
        model, images, torch.tensor([0]), [0.2], generator()
    )
    expected = 0.5 + 3 * 0.02 * torch.tensor([[1.0, -1.0], [1.0, 1.0]])
    torch.testing.assert_close(found[0, 0], expected)


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000),
    epsilons=st.lists(st.floats(0, 1, width=32), min_size=1, max_size=3),
)
def test_images_never_leave_the_ball_or_the_pixel_range(attack, seed, epsilons):
    images = torch.rand(3, 1, 6, 6, generator=generator(seed)).mul(1.4).sub(0.2).clamp(0, 1)
    before = images.clone()
    found = attack.perturb(network(), images, torch.tensor([0, 1, 2]), epsilons, generator(seed))

    assert torch.equal(images, before)
    for epsilon, adversarial in zip(epsilons, found, strict=True):
        # One rounding of x + epsilon to float32.
        assert lengths(attack, adversarial - images).max() <= epsilon + np.finfo(np.float32).eps
        assert 0 <= adversarial.min() <= adversarial.max() <= 1
        assert not adversarial.requires_grad


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_epsilon_zero_gives_the_image_back(attack):
    images = torch.rand(2, 1, 6, 6, generator=generator())
    (found,) = attack.perturb(network(), images, torch.tensor([0, 1]), [0.0], generator())
    assert torch.equal(found, images)


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_an_epsilon_does_not_depend_on_the_others(attack):
    images, labels = torch.rand(2, 1, 6, 6, generator=generator()), torch.tensor([0, 1])
    alone = attack.perturb(network(), images, labels, [0.1], generator())
    among = attack.perturb(network(), images, labels, [0.03, 0.1, 0.3], generator())
    assert torch.equal(alone[0], among[1])


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_the_model_is_left_alone_and_its_loss_rises(attack):
    model = network()
    images, labels = torch.rand(8, 1, 6, 6, generator=generator()), torch.arange(8) % 3
    with torch.no_grad():
        before = nn.functional.cross_entropy(model(images), labels)
    (found,) = attack.perturb(model, images, labels, [0.2], generator())

    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())
    with torch.no_grad():
        assert nn.functional.cross_entropy(model(found), labels) > before


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_a_model_in_training_mode_is_refused(attack):
    with pytest.raises(NodeError, match="training mode"):
        attack.perturb(
            network().train(), torch.rand(1, 1, 6, 6), torch.tensor([0]), [0.1], generator()
        )


def test_fgsm_takes_one_gradient_for_all_epsilons():
    calls = []
    model = network()
    model.register_forward_hook(lambda *_: calls.append(1))
    FGSM().perturb(
        model, torch.rand(2, 1, 6, 6), torch.tensor([0, 1]), [0.1, 0.2, 0.3], generator()
    )
    assert len(calls) == 1


def test_a_random_start_draws_from_its_generator_only():
    attack = PGD(steps=2, random_start=True)
    images, labels = torch.rand(2, 1, 6, 6, generator=generator()), torch.tensor([0, 1])
    model = network()

    torch.manual_seed(1)
    (first,) = attack.perturb(model, images, labels, [0.1], generator(5))
    global_state = torch.get_rng_state()
    (again,) = attack.perturb(model, images, labels, [0.1], generator(5))
    (other,) = attack.perturb(model, images, labels, [0.1], generator(6))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), global_state)


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_a_diverged_model_gives_images_all_the_same(attack):
    model = network()
    with torch.no_grad():
        model[0].weight.fill_(torch.nan)
    images = torch.rand(2, 1, 6, 6, generator=generator())
    (found,) = attack.perturb(model, images, torch.tensor([0, 1]), [0.1], generator())

    assert torch.isfinite(found).all()
    assert lengths(attack, found - images).max() <= 0.1 + np.finfo(np.float32).eps


class Detached(nn.Module):
    def forward(self, images):
        return images.detach().flatten(1)[:, :2]


class Constant(nn.Module):
    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(torch.ones(1, 2))

    def forward(self, images):
        return self.logits.expand(len(images), 2)


@pytest.mark.parametrize("model", [Detached(), Constant()])
def test_a_model_without_gradient_is_named(model):
    with pytest.raises(NodeError, match="no gradient"):
        FGSM().perturb(model.eval(), torch.rand(1, 1, 6, 6), torch.tensor([0]), [0.1], generator())
