"""Detectors with trained weights: published ones, trained backbones, and the user's own files."""

from __future__ import annotations

import hashlib
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models
from torchvision.models import detection
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.ops import FrozenBatchNorm2d

from hfcbench.errors import DataError, NodeError, SpecificationError
from hfcbench.models.detectors.building import PUBLISHED
from hfcbench.models.detectors.categories import coco_categories
from hfcbench.models.detectors.pyramid import resnet
from hfcbench.models.faster_rcnn import FasterRCNN
from hfcbench.models.fcos import FCOS
from hfcbench.models.retinanet import RetinaNet
from hfcbench.models.ssd import SSD
from hfcbench.plugins import load_plugins
from hfcbench.training.checkpoints import save_checkpoint
from hfcbench.types import DataLocation

NOWHERE = DataLocation()
SIZES = {"shorter_side": 64, "longer_side": 96}
TINY = {"backbone": "resnet18", "width": 8, "channels": 64, **SIZES}
FUNCTIONS = {
    RetinaNet: detection.retinanet_resnet50_fpn,
    FasterRCNN: detection.fasterrcnn_resnet50_fpn,
    FCOS: detection.fcos_resnet50_fpn,
}
PUBLISHER = "torchvision.models._api.load_state_dict_from_url"


def published_by(monkeypatch, states):
    """Let torchvision find these weights by the first part of their file's name."""
    asked = []

    def load(url, **options):
        asked.append(options)
        name = url.rpartition("/")[2]
        return next(dict(state) for part, state in states.items() if name.startswith(part))

    monkeypatch.setattr(PUBLISHER, load)
    return asked


def shaken(network):
    """A state in which every BatchNorm does something of its own."""
    generator = torch.Generator().manual_seed(0)
    state = network.state_dict()
    for name, tensor in state.items():
        if name.endswith(("running_var", "running_mean")):
            tensor.copy_(torch.rand(tensor.shape, generator=generator) * 0.5 + 0.2)
    return state


@pytest.mark.parametrize("kind", list(FUNCTIONS), ids=lambda kind: kind.__name__)
def test_published_weights_find_what_they_find_in_torchvision(kind, monkeypatch):
    torch.manual_seed(0)
    function, classes = FUNCTIONS[kind], ("dog", "person", "toothbrush")
    state = shaken(function(weights=None, weights_backbone=None))
    asked = published_by(monkeypatch, {"": state})
    most = "box_detections_per_img" if kind is FasterRCNN else "detections_per_img"
    threshold = "box_score_thresh" if kind is FasterRCNN else "score_thresh"
    theirs = function(
        weights="COCO_V1", min_size=64, max_size=96, **{most: 10**6, threshold: 0.009}
    ).eval()
    asked.clear()
    module = kind(weights="coco", score_threshold=0.009, **SIZES).build(classes, NOWHERE).eval()
    assert [(options["weights_only"], options["check_hash"]) for options in asked] == [(True, True)]

    image = torch.rand(3, 60, 70)
    with torch.no_grad():
        (ours,), (reference,) = module(image[None]), theirs([image])
    labels = torch.tensor([18, 1, 90])  # in COCO's own numbering
    kept = torch.isin(reference["labels"], labels)
    assert 0 < kept.sum() < len(kept)
    assert torch.equal(ours.boxes, reference["boxes"][kept][:100])
    assert torch.equal(ours.scores, reference["scores"][kept][:100])
    assert torch.equal(labels[ours.classes], reference["labels"][kept][:100])
    trained = [parameter.requires_grad for parameter in module.network.parameters()]
    assert trained == [parameter.requires_grad for parameter in theirs.parameters()]


def test_a_published_detector_has_the_weights_of_its_name():
    names = {name: (weights.url, weights.meta["categories"]) for name, weights in PUBLISHED.items()}
    for name, part in (
        ("retinanet", "/retinanet_resnet50_fpn_coco"),
        ("faster-rcnn", "/fasterrcnn_resnet50_fpn_coco"),
        ("ssd", "/ssd300_vgg16_coco"),
        ("fcos", "/fcos_resnet50_fpn_coco"),
    ):
        assert part in names[name][0]
        assert tuple(names[name][1]) == coco_categories()


@pytest.mark.parametrize("trained", [None, 0, 2, 5])
def test_an_imagenet_backbone_is_the_start_of_training(trained, monkeypatch):
    source = models.resnet18(weights=None)
    state = shaken(source)
    published_by(monkeypatch, {"resnet18": state})
    detector = RetinaNet(
        backbone="resnet18", backbone_weights="imagenet", channels=64, trainable_layers=trained
    )
    body = detector.build(["a"], NOWHERE).network.backbone.body
    assert isinstance(body.bn1, FrozenBatchNorm2d)
    found = body.state_dict()
    assert all(torch.equal(found[name], state[name]) for name in found)
    theirs = resnet_fpn_backbone(
        backbone_name="resnet18", weights=None, trainable_layers=3 if trained is None else trained
    )
    assert {name: value.requires_grad for name, value in body.named_parameters()} == {
        name: value.requires_grad for name, value in theirs.body.named_parameters()
    }


@pytest.mark.parametrize("trained", [None, 0, 3, 5])
def test_ssd_starts_from_the_vgg_that_torchvision_starts_from(trained, thin_vgg, monkeypatch):
    published_by(monkeypatch, {"vgg16": thin_vgg})
    module = SSD(backbone_weights="imagenet", trainable_layers=trained).build(["a"], NOWHERE)
    theirs = detection.ssd300_vgg16(
        weights=None,
        weights_backbone="IMAGENET1K_FEATURES",
        num_classes=2,
        trainable_backbone_layers=trained,
    ).backbone
    named = dict(module.network.backbone.named_parameters())
    for name, parameter in theirs.named_parameters():
        assert named[name].requires_grad == parameter.requires_grad, name
        # What lies behind VGG-16 starts at random.
        fresh = name.startswith(("extra.1", "extra.2", "extra.3", "extra.4", "extra.0.7"))
        assert fresh or torch.equal(named[name], parameter), name


def test_resnets_are_those_of_torchvision():
    for name in ("resnet18", "resnet50"):
        torch.manual_seed(0)
        ours, theirs = resnet(name, 64, nn.BatchNorm2d), models.get_model(name, weights=None)
        theirs.load_state_dict(ours.state_dict(), strict=False)
        assert [key for key in theirs.state_dict() if key[:3] != "fc."] == list(ours.state_dict())
        image = torch.rand(1, 3, 64, 64)
        features = theirs.eval().avgpool(ours.eval()(image)).flatten(1)
        torch.testing.assert_close(theirs.fc(features), theirs(image))


def test_a_narrow_resnet_has_its_filters():
    state = resnet("resnet18", 8, nn.BatchNorm2d).state_dict()
    assert state["conv1.weight"].shape == (8, 3, 7, 7)
    assert state["layer4.1.conv2.weight"].shape == (64, 64, 3, 3)


def test_without_a_network_the_message_says_where_the_file_goes(monkeypatch):
    def unreachable(url, **options):
        raise URLError("no route to host")

    monkeypatch.setattr(PUBLISHER, unreachable)
    with pytest.raises(NodeError, match="COCO's weights of 'retinanet' could not be") as caught:
        RetinaNet(weights="coco").build(["dog"], NOWHERE)
    message = str(caught.value)
    assert "no route to host" in message
    assert "retinanet_resnet50_fpn_coco-eeacb38b.pth" in message
    assert "checkpoints" in message


def test_classes_that_coco_does_not_have_are_named():
    detector = RetinaNet(weights="coco")
    detector.check(["person", "hair drier", "tv"])
    with pytest.raises(SpecificationError) as caught:
        detector.check(["persons", "dog", "N/A", "__background__"])
    message = str(caught.value)
    assert "do not know 3 of the dataset's 4 classes: 'persons', 'N/A', '__background__'" in message
    assert "did you mean 'person'" in message
    assert "backbone_weights=imagenet" in message
    RetinaNet().check(["persons"])


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        (RetinaNet, {"weights": "coco", "backbone": "resnet18"}, "has backbone=resnet50"),
        (RetinaNet, {"weights": "coco", "anchor_scale": 0.5}, "has anchor_scale=1.0"),
        (FCOS, {"weights": "coco", "norm": "group"}, "has norm=frozen"),
        (SSD, {"weights": "coco", "backbone_weights": "imagenet"}, "one of weights and backbone_"),
        (FCOS, {"weights": "coco", "checkpoint": "a.pth"}, "one of weights and checkpoint"),
        (FasterRCNN, {"trainable_layers": 2}, "trainable_layers needs trained weights"),
        (FasterRCNN, {"norm": "frozen"}, "norm=frozen needs trained weights"),
        (FCOS, {"backbone_weights": "imagenet", "width": 32}, "has width=64"),
        (FCOS, {"channels": 32}, "channels of at least 64, not 32"),
        (SSD, {"checkpoint": "weights.onnx"}, "named .safetensors, .pth, .pt, not weights.onnx"),
        (SSD, {"checkpoint_classes": "coco"}, "without a checkpoint"),
    ],
)
def test_what_cannot_go_together_is_refused(kind, parameters, message):
    with pytest.raises(SpecificationError, match=message):
        kind(**parameters)


def test_they_are_registered_with_their_parameters():
    registry = load_plugins(installed=()).registry
    for kind in (RetinaNet, FasterRCNN, FCOS, SSD):
        reference = registry.resolve("model", kind.name, {"score_threshold": 0.1})
        assert registry.create(reference) == kind(score_threshold=0.1)
    paths = registry.get("model", "fcos").schema.paths({"checkpoint": "a.pth"})
    assert list(paths) == [("checkpoint", "a.pth")]
    with pytest.raises(SpecificationError, match="'shorter_side'"):
        registry.resolve("model", "fcos", {"shorter_side": 8})


@pytest.mark.parametrize("suffix", ["safetensors", "pth", "pt"])
def test_own_files_are_read_and_hashed(suffix, tmp_path):
    torch.manual_seed(1)
    trained = RetinaNet(norm="group", **TINY).build(["cat", "dog"], NOWHERE).eval()
    path = tmp_path / f"own.{suffix}"
    state = trained.network.state_dict()
    if suffix == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    detector = RetinaNet(
        checkpoint=path.name, checkpoint_classes=["cat", "dog"], norm="group", **TINY
    )
    location = DataLocation(tmp_path)
    assert detector.files_sha256(location) == hashlib.sha256(path.read_bytes()).hexdigest()
    module = detector.build(["dog"], location).eval()
    found = module.network.state_dict()
    assert all(torch.equal(found[name], value) for name, value in state.items())
    assert module.categories.tolist() == [2]
    with pytest.raises(SpecificationError, match="do not know 1 of the dataset's 1 classes: 'cow'"):
        detector.build(["cow"], location)


def test_a_checkpoint_of_hfcbench_is_read_for_another_dataset(thin_vgg, tmp_path):
    trained = SSD().build(["cat", "dog"], NOWHERE)
    save_checkpoint(trained, tmp_path / "own.safetensors")
    module = SSD(checkpoint="own.safetensors").build(["x", "y"], DataLocation(tmp_path))
    for name, value in trained.state_dict().items():
        assert torch.equal(module.state_dict()[name], value)


def test_files_that_are_not_what_they_should_be_are_one_message(tmp_path):
    location = DataLocation(tmp_path)
    detector = RetinaNet(checkpoint="own.pth", norm="group", **TINY)
    path = tmp_path / "own.pth"
    with pytest.raises(DataError, match=r"own.pth cannot be read: No such file"):
        detector.files_sha256(location)
    with pytest.raises(NodeError, match=r"own.pth cannot be read"):
        detector.build(["cat"], location)
    torch.save({"model": nn.Linear(2, 2)}, path)
    with pytest.raises(NodeError, match="holds more than tensors, and is not unpickled"):
        detector.build(["cat"], location)
    torch.save({"epoch": 3}, path)
    with pytest.raises(NodeError, match="is no state dict"):
        detector.build(["cat"], location)
    torch.save(RetinaNet(**TINY).build(["a", "b"], NOWHERE).network.state_dict(), path)
    with pytest.raises(NodeError, match="is of another network") as caught:
        detector.build(["cat"], location)
    assert "checkpoint_classes" in str(caught.value)
    (tmp_path / "own.safetensors").write_bytes(b"not at all")
    with pytest.raises(NodeError, match="is no safetensors file"):
        RetinaNet(checkpoint="own.safetensors", **TINY).build(["cat"], location)
    assert RetinaNet().files_sha256(location) is None
