"""The fast model answers as the plain one does, and leaves it alone."""

from __future__ import annotations

import copy

import pytest
import timm
import torch
from torch import nn

from hfcbench.adversarial.fast_model import FastModel
from hfcbench.adversarial.gradient import gradient_and_logits
from hfcbench.defence_modules import InputTransform, RandomAnswers, is_random, set_adaptive
from hfcbench.defences.smoothing import SmoothedModel
from hfcbench.models.lenet5 import LeNet5
from hfcbench.models.preact_resnet import PreactResNet32
from hfcbench.models.resnet18 import ResNet18
from hfcbench.types import ImageShape, ModelOptions

SHAPE = ImageShape(3, 32, 32)
IMAGES = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 3])


def used(model: nn.Module) -> nn.Module:
    """The model as if it had been trained: BatchNorm has statistics of its own."""
    torch.manual_seed(0)
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean, 0, 0.3)
            nn.init.uniform_(part.running_var, 0.5, 2)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, 0, 0.3)
    return model.eval()


def built(model, batchnorm=True) -> nn.Module:
    torch.manual_seed(1)
    return used(model.build(SHAPE, 10, ModelOptions(batchnorm=batchnorm)))


def convolutions() -> nn.Sequential:
    torch.manual_seed(2)
    layers = [nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(8, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU())


def network() -> nn.Sequential:
    return nn.Sequential(*convolutions(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))


class Branching(nn.Module):
    """Cannot be traced: what it does depends on values. Its parts can."""

    def __init__(self):
        super().__init__()
        self.features = convolutions()
        self.classifier = nn.Linear(8, 10)

    def forward(self, images):
        features = self.features(images).mean((2, 3))
        return self.classifier(features if images.mean() < 1 else -features)


class Bare(nn.Module):
    """Cannot be traced, and neither can its parts, which are single layers."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 10, 3)
        self.norm = nn.BatchNorm2d(10)

    def forward(self, images):
        features = self.norm(self.convolution(images)).mean((2, 3))
        return features if images.mean() < 1 else -features


class SharedConvolution(nn.Module):
    """One convolution before two BatchNorms, which folding would spoil."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 10, 3)
        self.one, self.other = nn.BatchNorm2d(10), nn.BatchNorm2d(10)

    def forward(self, images):
        first = self.one(self.convolution(images))
        return (first.relu() + self.other(self.convolution(images.flip(3)))).mean((2, 3))


class Listed(nn.Module):
    """Walks along a part, which a rewritten part does not allow."""

    def __init__(self):
        super().__init__()
        self.features = convolutions()

    def forward(self, images):
        for layer in self.features:
            images = layer(images)
        return images.mean((2, 3)) if images.mean() < 1e9 else images


class Blurred(InputTransform):
    differentiable = True

    def transform(self, images):
        return nn.functional.avg_pool2d(images, 3, 1, 1)


class Noisy(RandomAnswers):
    def draw(self, images):
        return self.model(images + 0.1 * torch.randn_like(images)).softmax(1)


MODELS = {
    # Name: model, and how many BatchNorms remain.
    "Conv-BN": (lambda: used(network()), 0),
    "ResNet-18": (lambda: built(ResNet18(4)), 0),
    # Before each block's first convolution, but for the first block.
    "preact ResNet": (lambda: built(PreactResNet32(4)), 14),
    "timm": (lambda: used(timm.create_model("resnet10t", num_classes=10)), 0),
    "no BatchNorm": (lambda: built(LeNet5(), batchnorm=False), 0),
    "branching": (lambda: used(Branching()), 0),
    "bare": (lambda: used(Bare()), 1),
    "shared convolution": (lambda: used(SharedConvolution()), 2),
    "listed": (lambda: used(Listed()), 2),
    "kernel smoothing": (lambda: SmoothedModel(used(network()), 0.5).eval(), 0),
    "input transform": (lambda: Blurred(used(network())).eval(), 0),
    "random answers": (lambda: Noisy(used(network()), 3, 2).eval(), 0),
    "nested defences": (lambda: Noisy(Blurred(used(Branching())), 3, 2).eval(), 0),
}


def remaining(model: nn.Module) -> int:
    return sum(isinstance(part, nn.BatchNorm2d) for part in model.modules())


def answers(model: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    if isinstance(model, FastModel) and is_random(model):
        # Noise is drawn in the order of memory, which is another one where channels come last.
        model = model.model
    torch.manual_seed(3)
    return gradient_and_logits(model, IMAGES, LABELS)


@pytest.mark.parametrize("name", MODELS)
def test_answers_and_gradients_are_the_same_up_to_rounding(name):
    build, left = MODELS[name]
    model = build()
    fast = FastModel(model, IMAGES[:2])

    assert remaining(fast) == left
    assert fast.folded == remaining(model) - left
    assert not any(parameter.requires_grad for parameter in fast.parameters())
    for expected, found in zip(answers(model), answers(fast), strict=True):
        assert expected.abs().max() > 0
        assert (expected - found).norm() <= 1e-4 * expected.norm()
    if not is_random(model):
        with torch.no_grad():
            torch.testing.assert_close(fast(IMAGES), model(IMAGES), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_the_model_stays_as_it_is(name):
    model = MODELS[name][0]()
    before = copy.deepcopy(model)
    answers(FastModel(model, IMAGES[:2]))

    assert [type(part) for part in model.modules()] == [type(part) for part in before.modules()]
    own, others = model.state_dict(), before.state_dict()
    assert own.keys() == others.keys()
    for key, value in own.items():
        assert torch.equal(value, others[key])
        assert value.stride() == others[key].stride()
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_random_answers_stay_random_and_know_whether_attacks_are_let_through():
    fast = FastModel(Noisy(used(network()), 3, 2).eval(), IMAGES[:2])
    with torch.no_grad():
        assert not torch.equal(fast(IMAGES), fast(IMAGES))
    drawn = []
    fast.model.model.register_forward_hook(lambda *_: drawn.append(1))
    logits = fast(IMAGES.clone().requires_grad_())
    set_adaptive(fast, False)
    assert (len(drawn), logits.shape) == (2, (4, 10))
    fast(IMAGES.clone().requires_grad_())
    assert len(drawn) == 3


def test_a_model_without_numbers_is_copied_as_it_is():
    model = used(network())
    with torch.no_grad():
        model[0].weight.fill_(torch.nan)
    assert FastModel(model, IMAGES[:2]).folded == 0


def test_bfloat16_answers_in_float32_and_nearly_the_same():
    model = built(ResNet18(4))
    fast = FastModel(model, IMAGES[:2], "bfloat16")
    gradient, logits = answers(fast)
    expected_gradient, expected = answers(model)
    assert fast.folded == 20
    assert (logits.dtype, gradient.dtype) == (torch.float32, torch.float32)
    assert 1e-5 < (logits - expected).norm() / expected.norm() < 0.03
    similar = torch.cosine_similarity(gradient.flatten(1), expected_gradient.flatten(1))
    assert similar.min() > 0.9


class ReadTwice(nn.Module):
    """Its first ReLU has its input to itself; the second's is read again."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.relu = nn.ReLU()
        self.head = nn.Linear(8, 5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.relu(self.norm(self.first(images)))
        read_again = self.second(features)
        return self.head((self.relu(read_again) + read_again).mean((2, 3)))


def test_a_relu_writes_over_its_input_only_where_nobody_else_reads_it():
    model = used(ReadTwice()).eval()
    fast = FastModel(model, IMAGES[:2])

    nodes = [node for node in fast.model.graph.nodes if "relu" in node.name]
    assert [node.kwargs.get("inplace", False) for node in nodes] == [True, False]
    for expected, found in zip(answers(model), answers(fast), strict=True):
        assert (expected - found).norm() <= 1e-4 * expected.norm()
