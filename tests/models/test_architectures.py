"""Each architecture against hand counts, torchvision's networks, or its formula written out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from hfcbench.models.alexnet import AlexNet
from hfcbench.models.lenet5 import LeNet5
from hfcbench.models.preact_resnet import PreactResNet32
from hfcbench.models.resnet18 import ResNet18
from hfcbench.models.vgg import Vgg11, Vgg16
from hfcbench.types import ImageShape, ModelOptions


def build(model, shape=(3, 32, 32), classes=10, **options):
    torch.manual_seed(0)
    return model.build(ImageShape(*shape), classes, ModelOptions(**options))


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def shapes(module):
    return [tuple(parameter.shape) for parameter in module.parameters()]


def test_lenet5_has_the_known_number_of_parameters():
    # 6(25+1) + 16(6*25+1) + 120(400+1) + 84(120+1) + 10(84+1)
    assert count(build(LeNet5(), (1, 28, 28))) == 156 + 2416 + 48120 + 10164 + 850 == 61706


def test_lenet5_scales_with_its_width():
    network = build(LeNet5(width=3), (3, 32, 36))
    # 8 filters see 16x18 pixels and give 12x14, pooled to 6x7.
    assert shapes(network)[::2] == [
        (3, 3, 5, 5),
        (8, 3, 5, 5),
        (60, 8 * 6 * 7),
        (42, 60),
        (10, 42),
    ]


def test_lenet5_is_its_formula():
    network = build(LeNet5(), (1, 28, 28))
    images = torch.rand(3, 1, 28, 28)
    one, one_bias, two, two_bias, *rest = network.parameters()
    maps = F.max_pool2d(F.relu(F.conv2d(F.pad(images, (2, 2, 2, 2)), one, one_bias)), 2)
    maps = F.max_pool2d(F.relu(F.conv2d(maps, two, two_bias)), 2)
    units = maps.reshape(3, 400)
    for weight, bias in zip(rest[::2], rest[1::2], strict=True):
        logits = units @ weight.T + bias
        units = logits.clamp(min=0)
    torch.testing.assert_close(network(images), logits)


def test_alexnet_has_the_filters_of_its_source():
    network = build(AlexNet(), (3, 32, 32))
    with torch.device("meta"):
        source = torchvision.models.alexnet(weights=None)
    # All but the first convolution, which is made for large images there.
    assert shapes(network.features)[2:] == shapes(source.features)[2:]
    assert shapes(network.classifier)[::2] == [(1024, 256 * 4 * 4), (1024, 1024), (10, 1024)]


def test_alexnet_parameters_by_formula():
    width, channels, classes = 5, 2, 3
    filters = [channels, width, 3 * width, 6 * width, 4 * width, 4 * width]
    areas = [25, 25, 9, 9, 9]
    expected = sum(
        outputs * (inputs * area + 1)
        for inputs, outputs, area in zip(filters, filters[1:], areas, strict=False)
    )
    hidden = 16 * width
    # 40x24 pixels, halved three times.
    expected += hidden * (4 * width * 5 * 3 + 1) + hidden * (hidden + 1) + classes * (hidden + 1)
    assert count(build(AlexNet(width=width), (channels, 40, 24), classes)) == expected


@pytest.mark.parametrize(
    ("model", "source", "batchnorm"),
    [
        (Vgg11(), torchvision.models.vgg11, False),
        (Vgg11(), torchvision.models.vgg11_bn, True),
        (Vgg16(), torchvision.models.vgg16, False),
        (Vgg16(), torchvision.models.vgg16_bn, True),
    ],
)
def test_vgg_has_the_layers_of_its_source(model, source, batchnorm):
    with torch.device("meta"):
        network = build(model, batchnorm=batchnorm)
        theirs = source(weights=None).features
    ours = [layer for layer in network.features if not isinstance(layer, nn.BatchNorm2d)]
    theirs = [layer for layer in theirs if not isinstance(layer, nn.BatchNorm2d)]
    assert [type(layer) for layer in ours] == [type(layer) for layer in theirs]
    assert [layer.weight.shape for layer in ours if isinstance(layer, nn.Conv2d)] == [
        layer.weight.shape for layer in theirs if isinstance(layer, nn.Conv2d)
    ]
    assert shapes(network.classifier)[::2] == [(512, 512), (512, 512), (10, 512)]


@pytest.mark.parametrize(("size", "left"), [(28, 1), (32, 1), (33, 2), (64, 2), (65, 3)])
def test_vgg_pools_to_one_position_per_32_pixels_begun(size, left):
    network = build(Vgg11(width=1), (1, size, size))
    assert network.features(torch.rand(1, 1, size, size)).shape == (1, 8, left, left)


def test_resnet18_parameters_by_torchvision():
    with torch.device("meta"):
        network = build(ResNet18(), batchnorm=True)
        source = torchvision.models.resnet18(weights=None, num_classes=10)
    # Their stem is 7x7, this one 3x3.
    assert count(network) == count(source) - 64 * 3 * 49 + 64 * 3 * 9 == 11_173_962


def test_resnet18_computes_what_torchvision_computes():
    network = build(ResNet18(), batchnorm=True)
    source = torchvision.models.resnet18(weights=None, num_classes=10)
    source.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    source.maxpool = nn.Identity()
    # Both list stem, blocks (convolutions, then shortcut) and classifier in this order.
    values = network.state_dict().values()
    source.load_state_dict(dict(zip(source.state_dict(), values, strict=True)))
    images = torch.rand(2, 3, 20, 24)
    torch.testing.assert_close(network.eval()(images), source.eval()(images))


def test_preact_resnet32_parameters_by_hand():
    # Stem, then ten convolutions per stage: 16 filters, 32 after 16, 64 after 32; classifier.
    stages = 10 * 9 * 16 * 16, 9 * 16 * 32 + 9 * 9 * 32 * 32, 9 * 32 * 64 + 9 * 9 * 64 * 64
    assert count(build(PreactResNet32())) == 27 * 16 + sum(stages) + 650 == 461_882
    # BatchNorm: 16 channels in the stem and 10 later places, 32 in 10, 64 in 9.
    normalised = 2 * (11 * 16 + 10 * 32 + 9 * 64)
    assert count(build(PreactResNet32(), batchnorm=True)) == 461_882 + normalised


def test_preact_resnet32_has_32_layers_without_biases():
    layers = [
        layer
        for layer in build(PreactResNet32()).modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    assert len(layers) == 32
    assert [layer.weight.shape[0] for layer in layers] == [16] * 11 + [32] * 10 + [64] * 10 + [10]
    assert all(layer.bias is None for layer in layers[:-1])


@pytest.mark.parametrize("batchnorm", [False, True])
def test_preact_resnet32_is_the_reference_codes_formula(batchnorm):
    network = build(PreactResNet32(width=2), (3, 9, 12), batchnorm=batchnorm)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.5, 0.5)
    kernels = [layer.weight for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    scales = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]

    def activate(maps):
        if batchnorm:
            layer = scales.pop(0)
            variance, mean = torch.var_mean(maps, dim=(0, 2, 3), correction=0, keepdim=True)
            maps = (maps - mean) / (variance + layer.eps).sqrt()
            maps = maps * layer.weight[:, None, None] + layer.bias[:, None, None]
        return maps.clamp(min=0)

    images = torch.rand(5, 3, 9, 12)
    maps = activate(F.conv2d(images, kernels.pop(0), padding=1))
    for number in range(15):
        doubles = number in (5, 10)
        branch = maps if number == 0 else activate(maps)
        branch = F.conv2d(branch, kernels.pop(0), stride=2 if doubles else 1, padding=1)
        branch = F.conv2d(activate(branch), kernels.pop(0), padding=1)
        maps = branch + (halved_and_widened(maps) if doubles else maps)
    pooled = maps.clamp(min=0).mean((2, 3))
    expected = pooled @ network.classifier.weight.T + network.classifier.bias
    assert not kernels
    assert not scales
    torch.testing.assert_close(network.train()(images), expected, rtol=1e-4, atol=1e-5)


def halved_and_widened(maps):
    """Means over 2x2 pixels (fewer at an odd border), zeros before and behind the channels."""
    count, channels, height, width = maps.shape
    rows, columns = -(-height // 2), -(-width // 2)
    result = torch.zeros(count, 2 * channels, rows, columns)
    for row in range(rows):
        for column in range(columns):
            cell = maps[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            result[:, channels // 2 : channels // 2 + channels, row, column] = cell.mean((2, 3))
    return result
