"""What holds for every built-in architecture."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hfcbench.errors import SpecificationError
from hfcbench.models.alexnet import AlexNet
from hfcbench.models.lenet5 import LeNet5
from hfcbench.models.preact_resnet import PreactResNet32
from hfcbench.models.resnet18 import ResNet18
from hfcbench.models.vgg import Vgg11, Vgg16
from hfcbench.plugins import load_plugins
from hfcbench.types import ImageShape, ModelOptions

SMALLEST = {LeNet5: 12, AlexNet: 8, Vgg11: 17, Vgg16: 17, ResNet18: 9, PreactResNet32: 5}
FIRST_KERNEL = {LeNet5: 5, AlexNet: 5, Vgg11: 3, Vgg16: 3, ResNet18: 3, PreactResNet32: 3}
CONVOLUTIONS = {LeNet5: 2, AlexNet: 5, Vgg11: 8, Vgg16: 13, ResNet18: 20, PreactResNet32: 31}
# The reference network's last convolution is followed by an addition only.
BATCHNORMS = {**CONVOLUTIONS, PreactResNet32: 30}
FULLY_CONNECTED = {LeNet5: 3, AlexNet: 3, Vgg11: 3, Vgg16: 3, ResNet18: 1, PreactResNet32: 1}

all_models = pytest.mark.parametrize("kind", list(SMALLEST), ids=lambda kind: kind.__name__)


def build(kind, shape=(3, 32, 32), *, classes=10, width=4, seed=0, **options):
    torch.manual_seed(seed)
    return kind(width=width).build(ImageShape(*shape), classes, ModelOptions(**options))


def modules(network, kind):
    return [module for module in network.modules() if isinstance(module, kind)]


@all_models
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 28, 45)], ids=str)
def test_takes_small_images_of_any_shape(kind, shape):
    network = build(kind, shape, classes=7)
    logits = network(torch.rand(2, *shape))
    assert logits.shape == (2, 7)
    assert torch.isfinite(logits).all()


@all_models
@pytest.mark.parametrize("batchnorm", [False, True])
def test_takes_the_smallest_image_that_it_names(kind, batchnorm):
    size = SMALLEST[kind]
    network = build(kind, (1, size, size), batchnorm=batchnorm)
    # A single image: BatchNorm needs more than one position to train on.
    assert network.train()(torch.rand(1, 1, size, size)).shape == (1, 10)


@all_models
@pytest.mark.parametrize("lacking", ["height", "width"])
def test_refuses_smaller_images(kind, lacking):
    smallest = SMALLEST[kind]
    sizes = {"height": 64, "width": 64} | {lacking: smallest - 1}
    shape = ImageShape(3, **sizes)
    message = f"from {smallest}x{smallest} pixels, not {shape.height}x{shape.width}"
    with pytest.raises(SpecificationError, match=message):
        kind().check(shape, 10, ModelOptions())
    with pytest.raises(SpecificationError, match=message):
        kind().build(shape, 10, ModelOptions())


@all_models
def test_first_convolution(kind):
    first = modules(build(kind, (2, 32, 32), width=5), nn.Conv2d)[0]
    assert first.weight.shape == (5, 2, FIRST_KERNEL[kind], FIRST_KERNEL[kind])
    assert first.stride == (1, 1)


@all_models
def test_has_batchnorm_only_if_asked(kind):
    vanilla, normalised = build(kind), build(kind, batchnorm=True)
    assert len(modules(vanilla, nn.Conv2d)) == CONVOLUTIONS[kind]
    assert not modules(vanilla, nn.modules.batchnorm._BatchNorm)
    found = modules(normalised, nn.BatchNorm2d)
    assert len(found) == BATCHNORMS[kind]
    assert all((layer.weight == 1).all() and (layer.bias == 0).all() for layer in found)


@all_models
def test_batchnorm_replaces_the_biases_of_convolutions(kind):
    normalised = modules(build(kind, batchnorm=True), nn.Conv2d)
    assert all(layer.bias is None for layer in normalised)


@all_models
def test_weights_start_after_xavier(kind):
    network = build(kind, width=8)
    layers = modules(network, nn.Conv2d | nn.Linear)
    hidden_gain = 1 if kind in (ResNet18, PreactResNet32) else 2**0.5
    for layer in layers:
        gain = 1 if layer is layers[-1] else hidden_gain
        outputs, inputs, *kernel = layer.weight.shape
        area = kernel[0] * kernel[1] if kernel else 1
        limit = gain * (6 / (area * (inputs + outputs))) ** 0.5
        assert layer.weight.abs().max() <= limit
        # The mean square of U(-a, a) is a^2/3; its relative error is sqrt(0.8/n).
        ratio = layer.weight.square().mean().item() / (limit**2 / 3)
        assert ratio == pytest.approx(1, abs=5 * (0.8 / layer.weight.numel()) ** 0.5)
        assert layer.bias is None or (layer.bias == 0).all()


@all_models
def test_dropout_is_before_every_fully_connected_layer(kind):
    network = build(kind, dropout=0.4)
    order = modules(network, nn.Dropout | nn.Linear)
    assert [type(layer) for layer in order] == [nn.Dropout, nn.Linear] * FULLY_CONNECTED[kind]
    assert all(layer.p == 0.4 for layer in order[::2])


@all_models
def test_dropout_acts_in_training_only(kind):
    network = build(kind, dropout=0.5)
    images = torch.rand(3, 3, 32, 32)
    assert not torch.equal(network.train()(images), network(images))
    assert torch.equal(network.eval()(images), network(images))
    assert torch.equal(network(images), build(kind).eval()(images))


@all_models
@pytest.mark.parametrize("batchnorm", [False, True])
def test_gradient_reaches_every_parameter(kind, batchnorm):
    network = build(kind, width=8, batchnorm=batchnorm)
    F.cross_entropy(network(torch.rand(16, 3, 32, 32)), torch.arange(16) % 10).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@all_models
def test_a_seed_decides_the_weights(kind):
    first, same, other = (build(kind, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@all_models
def test_images_do_not_influence_each_other(kind):
    network = build(kind, batchnorm=True).eval()
    images = torch.rand(4, 3, 32, 32)
    torch.testing.assert_close(network(images)[2:3], network(images[2:3]))


@all_models
def test_learns_a_simple_task_without_batchnorm(kind):
    torch.manual_seed(1)
    labels = torch.arange(24) % 3
    images = torch.rand(24, 3, 20, 20) * 0.3
    images[torch.arange(24), labels] += 0.5  # the class is the brightest channel
    network = build(kind, (3, 20, 20), classes=3, width=8)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    # Chance is ln 3 = 1.10.
    assert min(losses) < 0.6


def test_declaring_and_checking_do_not_import_torch():
    program = """
import sys
from hfcbench.heuristics import (
    batch_size, batchnorm, dropout, label_shuffling, mixup, optimizer,
)
from hfcbench.models import alexnet, lenet5, preact_resnet, resnet18, timm, vgg
from hfcbench.types import ImageShape, ModelOptions, Recipe
lenet5.LeNet5().check(ImageShape(3, 32, 32), 10, ModelOptions())
optimizer.Optimizer("SGD").configure(Recipe())
print(sorted({"torch", "timm", "scipy"} & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("[]\n", "")


def test_names_and_parameters():
    names = [
        f"hfcbench.models.{module}"
        for module in ("alexnet", "lenet5", "preact_resnet", "resnet18", "timm", "vgg")
    ]
    plugins = load_plugins(installed=(), builtin_modules=names)
    assert not plugins.failed
    models = plugins.registry.all("model")
    assert {known.name: known.schema.describe()[0].default for known in models} == {
        "alexnet": "64",
        "lenet5": "6",
        "preact-resnet32": "16",
        "resnet18": "64",
        "timm": None,
        "vgg11": "64",
        "vgg16": "64",
    }
    assert all(known.description for known in models)
    resolved = plugins.registry.resolve("model", "timm/resnet18.a1_in1k", {})
    assert resolved.parameters == {"architecture": "resnet18.a1_in1k", "pretrained": False}
    with pytest.raises(SpecificationError, match="'width'"):
        plugins.registry.resolve("model", "lenet5", {"width": 0})
