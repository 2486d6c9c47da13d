"""Models of timm by name."""

from __future__ import annotations

import pytest
import timm
import torch
import torch.nn.functional as F
from torch import nn

from hfcbench.errors import NodeError, SpecificationError
from hfcbench.models.timm import Timm
from hfcbench.types import ImageShape, ModelOptions

RGB32 = ImageShape(3, 32, 32)
VANILLA = ModelOptions()


def refusal(architecture, shape=RGB32, options=VANILLA, **parameters):
    with pytest.raises(SpecificationError) as caught:
        Timm(architecture, **parameters).check(shape, 10, options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("architecture", "shape"),
    [
        ("resnet10t", ImageShape(3, 32, 32)),
        ("resnet10t", ImageShape(1, 28, 45)),
        ("vit_tiny_patch16_224", ImageShape(3, 32, 64)),
        ("resnet10t.c3_in1k", ImageShape(5, 32, 32)),
    ],
)
def test_fits_shape_and_classes(architecture, shape):
    network = Timm(architecture).build(shape, 7, VANILLA)
    logits = network(torch.rand(2, shape.channels, shape.height, shape.width))
    assert logits.shape == (2, 7)
    F.cross_entropy(logits, torch.tensor([0, 6])).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_normalises_inside_the_module():
    network = Timm("resnet10t").build(RGB32, 10, VANILLA).eval()
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's
    images = torch.rand(2, 3, 32, 32)
    normalised = torch.stack([(images[:, c] - mean[c]) / std[c] for c in range(3)], dim=1)
    torch.testing.assert_close(network(images), network.network(normalised))
    first = next(layer for layer in network.modules() if isinstance(layer, nn.Conv2d))
    assert first.in_channels == 3


def test_other_channel_counts_take_the_mean_normalisation():
    network = Timm("resnet10t").build(ImageShape(1, 32, 32), 10, VANILLA)
    assert network.mean.flatten().tolist() == pytest.approx([(0.485 + 0.456 + 0.406) / 3])
    assert network.std.flatten().tolist() == pytest.approx([(0.229 + 0.224 + 0.225) / 3])


def test_weights_and_normalisation_are_saved():
    network = Timm("resnet10t").build(RGB32, 10, VANILLA)
    assert {"mean", "std", "network.fc.weight"} <= set(network.state_dict())


def test_dropout_is_passed_on():
    network = Timm("resnet10t").build(RGB32, 10, ModelOptions(dropout=0.3))
    assert network.network.drop_rate == 0.3
    images = torch.rand(2, 3, 32, 32)
    network.train()
    assert not torch.equal(network(images), network(images))
    network.eval()
    assert torch.equal(network(images), network(images))


def test_a_seed_decides_the_weights():
    def weights(seed):
        torch.manual_seed(seed)
        network = Timm("resnet10t").build(RGB32, 10, VANILLA)
        return torch.cat([value.flatten() for value in network.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_checking_draws_no_random_numbers():
    before = torch.get_rng_state()
    Timm("resnet14t").check(RGB32, 10, VANILLA)
    assert torch.equal(torch.get_rng_state(), before)


def test_models_that_read_values_are_tried_for_real(monkeypatch):
    create = timm.create_model

    def peeking(*names, **arguments):
        if torch.zeros(()).is_meta:
            raise RuntimeError("Tensor.item() cannot be called on meta tensors")
        return create(*names, **arguments)

    monkeypatch.setattr(timm, "create_model", peeking)
    Timm("resnet10t").check(ImageShape(3, 30, 30), 10, VANILLA)
    assert "does not take 3x31x31 images" in refusal("inception_v3", ImageShape(3, 31, 31))


def test_models_without_dropout_say_so(monkeypatch):
    def strict(name, num_classes, in_chans):
        raise AssertionError("never reached")

    monkeypatch.setattr(timm, "create_model", strict)
    message = refusal("resnet10t", ImageShape(3, 34, 34), ModelOptions(dropout=0.5))
    assert message == (
        "model 'timm/resnet10t' has no dropout: the heuristic 'dropout' cannot change it"
    )


def test_headless_models_are_refused(monkeypatch):
    create = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda name, **_: create(name, num_classes=0))
    assert "is no classifier of whole images" in refusal("resnet10t", ImageShape(3, 36, 36))


def test_unknown_names_get_the_nearest():
    message = refusal("resnt18")
    assert "no model 'resnt18'; did you mean 'resnet18'" in message
    assert len(message) < 300


def test_unknown_weights_get_the_known_ones():
    message = refusal("resnet18.imagenet")
    assert "no weights 'imagenet' of 'resnet18'" in message
    assert "resnet18.a1_in1k" in message


@pytest.mark.parametrize("name", ["hf-hub:owner/name", "local-dir:/tmp", ""])
def test_other_sources_than_names_are_refused(name):
    assert "knows no model" in refusal(name)


@pytest.mark.parametrize(
    ("architecture", "shape", "reason"),
    [
        ("inception_v3", RGB32, "usual input"),
        ("vit_tiny_patch16_224", ImageShape(1, 28, 28), "patches of 16x16"),
        ("crossvit_9_240", RGB32, "does not take 3x32x32 images"),
    ],
)
def test_images_that_do_not_fit_are_refused(architecture, shape, reason):
    message = refusal(architecture, shape)
    assert f"'timm/{architecture}' does not take {shape} images" in message
    assert reason in message


@pytest.mark.parametrize(
    ("architecture", "reason"),
    [("resnet10t", "has BatchNorm already"), ("vit_tiny_patch16_224", "no place for BatchNorm")],
)
def test_batchnorm_is_refused(architecture, reason):
    assert reason in refusal(architecture, options=ModelOptions(batchnorm=True))


def test_missing_weights_are_refused():
    # A name that timm lists without weights.
    names = set(timm.list_models("resnet*")) - {
        name.partition(".")[0] for name in timm.list_models("resnet*", pretrained=True)
    }
    assert "has no pretrained weights" in refusal(min(names), pretrained=True)


def test_weights_that_cannot_be_loaded_are_one_message(monkeypatch):
    create = timm.create_model

    def offline(name, pretrained=False, **arguments):
        if pretrained:
            raise ConnectionError("no route to host\nand more")
        return create(name, **arguments)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(NodeError, match=r"weights of 'timm/resnet10t' .*: no route to host\n"):
        Timm("resnet10t", pretrained=True).build(RGB32, 10, VANILLA)
