"""Adversarial training: its batches against the attack by hand, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hfcbench.errors import NodeError, SpecificationError
from hfcbench.heuristics.adversarial_training import AdversarialTraining
from hfcbench.heuristics.batchnorm import BatchNorm
from hfcbench.heuristics.mixup import Mixup
from hfcbench.recipes import configured
from hfcbench.types import Batch, Schedule


def linear(weights):
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor(weights))
    return model


WEIGHTS = [[1.0, -2.0, 0.5, 0.0], [-1.0, 1.0, 2.0, 0.0]]


def batch(*labels, pixel=0.5):
    images = torch.full((len(labels), 1, 2, 2), pixel)
    return Batch(images, nn.functional.one_hot(torch.tensor(labels), 2).float())


def transformed(given, model, **parameters):
    return AdversarialTraining(**parameters).transform(given, model, torch.Generator())


def test_ten_steps_of_a_tenth_reach_the_border_of_the_ball():
    found = transformed(batch(0, 1), linear(WEIGHTS), epsilon=0.1)
    # For a linear model the gradient's sign is that of the weights of the other class minus own.
    away = torch.sign(torch.tensor(WEIGHTS)[1] - torch.tensor(WEIGHTS)[0])
    expected = 0.5 + 0.1 * torch.stack([away, -away]).reshape(2, 1, 2, 2)
    torch.testing.assert_close(found.images, expected)
    assert torch.equal(found.targets, batch(0, 1).targets)


def test_one_step_moves_by_its_share():
    found = transformed(batch(0), linear(WEIGHTS), epsilon=0.1, steps=1)
    assert (found.images - 0.5).abs().flatten().tolist() == pytest.approx([0.01, 0.01, 0.01, 0])


def test_mixed_targets_climb_the_mixed_loss():
    mixed = Batch(batch(0).images, torch.tensor([[0.5, 0.5]]))
    model = linear([[2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    # Class 0 is the more probable one already: the loss of an even mixture grows with certainty.
    found = transformed(mixed, model, epsilon=0.1)
    assert found.images.flatten()[0].item() == pytest.approx(0.6)


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(4, 2)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    transformed(batch(0, 1), model)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_components_beyond_the_pixel_range_are_refused():
    with pytest.raises(NodeError, match=r"(?s)needs images in \[0,1\].*--rescaling clip"):
        transformed(batch(0, pixel=-0.1), linear(WEIGHTS))


def test_it_augments_and_combines():
    recipe = configured(Schedule(), [BatchNorm(), Mixup(), AdversarialTraining()])
    assert recipe.schedule.augmentation == "crop-flip"
    assert recipe.options.batchnorm
    with pytest.raises(SpecificationError, match="two heuristics of one training decide adv"):
        configured(Schedule(), [AdversarialTraining(), AdversarialTraining(steps=3)])
