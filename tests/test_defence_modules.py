"""What attacks are told by transforms without a gradient and by random answers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hfcbench.adversarial.gradient import loss_gradient
from hfcbench.defence_modules import InputTransform, RandomAnswers, is_random, set_adaptive


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 3)).eval()


def images() -> torch.Tensor:
    return torch.rand(5, 3, 4, 4, generator=torch.Generator().manual_seed(1))


class Rounded(InputTransform):
    def transform(self, images):
        return images.mul(4).round().div(4)


class OutsideOfTorch(InputTransform):
    def transform(self, images):
        return torch.from_numpy(images.detach().numpy().round())


class Doubled(InputTransform):
    differentiable = True

    def transform(self, images):
        return 2 * images


@pytest.mark.parametrize("kind", [Rounded, OutsideOfTorch, Doubled])
@pytest.mark.parametrize("adaptive", [True, False])
def test_gradients_change_no_answer(kind, adaptive):
    defended = kind(linear()).eval()
    set_adaptive(defended, adaptive)
    batch = images()
    with torch.no_grad():
        without = defended(batch)

    assert torch.equal(defended(batch.requires_grad_()), without)


@pytest.mark.parametrize("kind", [Rounded, OutsideOfTorch])
def test_a_transform_without_gradient_is_taken_for_the_identity(kind):
    model = linear()
    defended, labels = kind(model).eval(), torch.tensor([0, 1, 2, 0, 1])
    expected = loss_gradient(model, defended.transform(images()), labels)

    torch.testing.assert_close(loss_gradient(defended, images(), labels), expected)
    set_adaptive(defended, False)
    assert (loss_gradient(defended, images(), labels) == 0).all()


def test_a_transform_with_a_gradient_keeps_it():
    model = linear()
    defended, labels = Doubled(model).eval(), torch.tensor([0, 1, 2, 0, 1])
    expected = 2 * loss_gradient(model, 2 * images(), labels)

    for adaptive in (True, False):
        set_adaptive(defended, adaptive)
        torch.testing.assert_close(loss_gradient(defended, images(), labels), expected)


def test_adaptive_is_set_in_all_parts():
    defended = Rounded(Rounded(linear())).eval()
    set_adaptive(defended, False)
    assert not defended.adaptive
    assert not defended.model.adaptive


def test_the_given_model_is_copied():
    model = linear().train()
    assert all(kind(model).eval().model is not model for kind in (Rounded, Noisy))
    assert all(part.training for part in model.modules())


class Noisy(RandomAnswers):
    """Probabilities that depend on the draw."""

    def __init__(self, model, draws=7, attack_draws=3):
        super().__init__(model, draws, attack_draws)

    def draw(self, images):
        return self.model(images + torch.randn_like(images)).softmax(1)


def test_answers_are_logarithms_of_mean_probabilities():
    defended = Noisy(linear()).eval()
    torch.manual_seed(3)
    with torch.no_grad():
        answers = defended(images())
    torch.manual_seed(3)
    with torch.no_grad():
        drawn = torch.stack([defended.draw(images()) for _ in range(7)])

    torch.testing.assert_close(answers, drawn.mean(0).log())
    torch.testing.assert_close(answers.exp().sum(1), torch.ones(5))
    assert is_random(defended)
    assert not is_random(linear())


@pytest.mark.parametrize(("adaptive", "draws"), [(True, 3), (False, 1)])
def test_gradients_are_those_of_the_attack_draws(adaptive, draws):
    defended, labels = Noisy(linear()).eval(), torch.tensor([0, 1, 2, 0, 1])
    set_adaptive(defended, adaptive)
    torch.manual_seed(3)
    found = loss_gradient(defended, images(), labels)
    following = torch.rand(1)

    torch.manual_seed(3)
    batch = images().requires_grad_()
    mean = torch.stack([defended.draw(batch) for _ in range(draws)]).mean(0)
    (expected,) = torch.autograd.grad(nn.functional.nll_loss(mean.log(), labels) * 5, batch)
    torch.testing.assert_close(found, expected)
    # Drawing again for the gradient takes nothing from the generator.
    assert torch.equal(following, torch.rand(1))


def test_with_as_many_draws_gradients_change_no_answer():
    defended = Noisy(linear(), 4, 4).eval()
    answers = []
    for gradients in (True, False):
        torch.manual_seed(5)
        answers.append(defended(images().requires_grad_(gradients)).detach())
    assert torch.equal(*answers)


def test_memory_is_needed_for_one_draw_only():
    def kept_for_the_gradient(draws):
        defended = Noisy(linear(), 1, draws).eval()
        kept = {}

        def pack(tensor):
            kept[tensor.data_ptr()] = tensor  # kept alive: no two share an address
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            defended(images().requires_grad_())
        return sum(tensor.numel() for tensor in kept.values())

    # The noisy images of thirty more draws alone would be thirty times as many numbers.
    assert kept_for_the_gradient(32) - kept_for_the_gradient(2) < images().numel()


def test_impossible_classes_are_finite():
    class Certain(RandomAnswers):
        def draw(self, images):
            return torch.tensor([[1.0, 0.0]]).expand(len(images), 2)

    answers = Certain(linear(), 2, 2)(images())
    assert answers.isfinite().all()
    assert (answers.argmax(1) == 0).all()


def test_what_subclasses_must_say():
    with pytest.raises(TypeError, match="what the model sees"):
        InputTransform(linear())(images())
    with pytest.raises(TypeError, match="what it draws"):
        RandomAnswers(linear(), 1, 1)(images())
