"""The built-in networks under their names in timm."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from hfcbench.errors import SpecificationError
from hfcbench.models.architectures import timm_registration
from hfcbench.models.lenet5 import LeNet5
from hfcbench.types import ImageShape, ModelOptions

NAMES = [
    "hfcbench_alexnet",
    "hfcbench_lenet5",
    "hfcbench_preact_resnet32",
    "hfcbench_resnet18",
    "hfcbench_vgg11",
    "hfcbench_vgg16",
]


def test_all_are_listed():
    assert timm.list_models("hfcbench_*") == NAMES
    assert set(NAMES) <= set(timm_registration.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_timm_creates_them(name):
    network = timm.create_model(name, num_classes=7, in_chans=1, img_size=(28, 36), width=2)
    assert network(torch.rand(2, 1, 28, 36)).shape == (2, 7)
    assert network.num_classes == 7
    cfg = network.pretrained_cfg
    assert (cfg["mean"], cfg["std"]) == ((0.0,) * 3, (1.0,) * 3)
    layers = dict(network.named_modules())
    assert isinstance(layers[cfg["first_conv"]], nn.Conv2d)
    assert isinstance(layers[cfg["classifier"]], nn.Linear)


@pytest.mark.parametrize("name", NAMES)
def test_options_are_arguments(name):
    network = timm.create_model(name, width=2, batchnorm=True, drop_rate=0.25)
    kinds = {type(layer) for layer in network.modules()}
    assert nn.BatchNorm2d in kinds
    assert {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)} == {0.25}


def test_it_is_the_network_that_suites_use():
    torch.manual_seed(5)
    ours = LeNet5(width=4).build(ImageShape(3, 32, 32), 10, ModelOptions())
    torch.manual_seed(5)
    theirs = timm.create_model("hfcbench_lenet5", num_classes=10, in_chans=3, width=4)
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(ours(images), theirs(images))


def test_widths_default_to_the_sources():
    with torch.device("meta"):
        network = timm.create_model("hfcbench_resnet18", num_classes=10, batchnorm=True)
    assert sum(parameter.numel() for parameter in network.parameters()) == 11_173_962


def test_images_that_are_too_small_are_refused():
    with pytest.raises(SpecificationError, match="from 17x17 pixels, not 16x16"):
        timm.create_model("hfcbench_vgg16", img_size=16)


def test_there_are_no_weights():
    with pytest.raises(RuntimeError, match=r"[Pp]retrained"):
        timm.create_model("hfcbench_lenet5", pretrained=True)
