"""Torchvision's detectors by name, against torchvision called the ordinary way."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torchvision.models import detection

from hfcbench.detection_types import Target
from hfcbench.devices import deterministic
from hfcbench.models.faster_rcnn import FasterRCNN
from hfcbench.models.fcos import FCOS
from hfcbench.models.retinanet import RetinaNet
from hfcbench.models.ssd import SSD
from hfcbench.training.checkpoints import load_checkpoint, save_checkpoint
from hfcbench.types import DataLocation

CLASSES = ("disc", "ring", "star")
NOWHERE = DataLocation()
EXACT = "donot_use_mm_for_euclid_dist"
SIZES = {"shorter_side": 64, "longer_side": 96}
TINY = {"backbone": "resnet18", "width": 8, "channels": 64, **SIZES}

# What torchvision itself builds from scratch, and so with BatchNorm.
LIKE_TORCHVISION = {
    RetinaNet: RetinaNet(norm="batch", score_threshold=0.005, **SIZES),
    FasterRCNN: FasterRCNN(norm="batch", score_threshold=0.01, **SIZES),
    FCOS: FCOS(norm="batch", score_threshold=0.05, **SIZES),
    SSD: SSD(score_threshold=0.01),
}
TORCHVISION = {
    RetinaNet: detection.retinanet_resnet50_fpn,
    FasterRCNN: detection.fasterrcnn_resnet50_fpn,
    FCOS: detection.fcos_resnet50_fpn,
    SSD: detection.ssd300_vgg16,
}
SMALL = {
    RetinaNet: RetinaNet(anchor_scale=0.5, score_threshold=0.005, **TINY),
    FasterRCNN: FasterRCNN(
        anchor_scale=0.5, score_threshold=0.01, proposals=60, sampled=40, units=32, **TINY
    ),
    FCOS: FCOS(score_threshold=0.05, **TINY),
    SSD: SSD(score_threshold=0.01),
}
pytestmark = pytest.mark.usefixtures("thin_vgg")
every_kind = pytest.mark.parametrize("kind", list(SMALL), ids=lambda kind: kind.__name__)


def build(detector, classes=CLASSES, seed=0):
    torch.manual_seed(seed)
    return detector.build(classes, NOWHERE).eval()


def without_background(logits):
    """Their background is a category of its own that training would silence."""
    with torch.no_grad():
        logits.bias.view(-1, len(CLASSES) + 1)[:, 0] = -30


def pictures(count=2, height=56, width=72):
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


def targets(*counts):
    generator = torch.Generator().manual_seed(2)
    made = []
    for count in counts:
        corners = torch.rand(count, 2, generator=generator) * 30
        sizes = torch.rand(count, 2, generator=generator) * 20 + 5
        classes = torch.randint(len(CLASSES), (count,), generator=generator)
        made.append(Target(torch.cat([corners, corners + sizes], 1), classes))
    return made


@every_kind
def test_boxes_are_those_of_torchvision_called_the_ordinary_way(kind):
    detector = LIKE_TORCHVISION[kind]
    module = build(detector)
    if kind in (RetinaNet, FCOS):
        without_background(module.network.head.classification_head.cls_logits)
    sizes = {} if kind is SSD else {"min_size": 64, "max_size": 96}
    threshold = "box_score_thresh" if kind is FasterRCNN else "score_thresh"
    sizes[threshold] = detector.score_threshold
    theirs = TORCHVISION[kind](weights=None, weights_backbone=None, num_classes=4, **sizes).eval()
    theirs.load_state_dict(module.network.state_dict())

    images = pictures()
    with torch.no_grad():
        found, expected = module(images), theirs(list(images))

    assert len(found) == 2
    for ours, reference in zip(found, expected, strict=True):
        assert len(ours.boxes) >= 10
        assert torch.equal(ours.boxes, reference["boxes"][:100])
        assert torch.equal(ours.scores, reference["scores"][:100])
        assert torch.equal(ours.classes, reference["labels"][:100] - 1)


@every_kind
def test_losses_are_those_of_torchvision(kind):
    module = build(SMALL[kind]).train()
    images, wanted = [pictures()[0], pictures(1, 64, 48)[0]], targets(2, 3)
    torch.manual_seed(3)  # Faster R-CNN draws what it learns from
    loss = module.loss(images, wanted)
    torch.manual_seed(3)
    labelled = [{"boxes": each.boxes, "labels": each.classes + 1} for each in wanted]
    expected = module.network(images, labelled)
    torch.testing.assert_close(loss, torch.stack(list(expected.values())).sum())
    assert loss > 0.1


@every_kind
def test_what_a_picture_gets_does_not_depend_on_its_batch(kind):
    module = build(SMALL[kind])
    images = torch.cat([pictures(), pictures()[:1], pictures() * 2 - 0.5])
    with torch.no_grad():
        together = module(images)
        for image, found in zip(images, together, strict=True):
            (alone,) = module(image[None])
            assert 0 < len(found.scores) == len(alone.scores) <= 100
            assert (found.scores.diff() <= 0).all()
            assert found.classes.min() >= 0
            assert found.classes.max() < len(CLASSES)
            # Where scores are equal up to rounding, their order is not told.
            near = torch.cdist(found.boxes, alone.boxes, compute_mode=EXACT).min(1).values
            assert near.quantile(0.9) < 1e-3
            torch.testing.assert_close(found.scores, alone.scores, rtol=1e-4, atol=1e-6)


@every_kind
def test_pictures_without_objects_and_boxes_without_area_are_learned_from(kind):
    module = build(SMALL[kind]).train()
    empty, (some,) = targets(0), targets(2)
    flat = Target(torch.cat([some.boxes, torch.tensor([[5.0, 5, 5, 20], [9, 3, 20, 3.001]])]),
                  torch.cat([some.classes, torch.tensor([0, 1])]))  # fmt: skip
    for wanted in ([*empty, *empty], [*empty, flat]):
        module.zero_grad()
        loss = module.loss(list(pictures()), wanted)
        assert torch.isfinite(loss)
        loss.backward()
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        assert all(torch.isfinite(gradient).all() for gradient in gradients)
    torch.manual_seed(4)
    with_flat = module.loss(list(pictures(1)), [flat])
    torch.manual_seed(4)
    torch.testing.assert_close(with_flat, module.loss(list(pictures(1)), [some]))


@every_kind
def test_a_checkpoint_holds_all_of_it(kind, tmp_path):
    module = build(SMALL[kind])
    save_checkpoint(module, tmp_path / "checkpoint.safetensors")
    other = build(SMALL[kind], seed=1)
    with torch.no_grad():
        (expected,) = module(pictures(1))
        (before,) = other(pictures(1))
        load_checkpoint(other, tmp_path / "checkpoint.safetensors", None)
        (found,) = other(pictures(1))
    assert not torch.equal(before.scores, expected.scores)
    assert torch.equal(found.boxes, expected.boxes)
    assert torch.equal(found.scores, expected.scores)


@every_kind
def test_training_repeats_itself_in_deterministic_mode(kind):
    gradients = []
    for _ in range(2):
        module = build(SMALL[kind]).train()
        with deterministic():
            module.loss(list(pictures()), targets(2, 0)).backward()
            with torch.no_grad():
                module.eval()(pictures())
        gradients.append(torch.cat([p.grad.flatten() for p in module.parameters()]))
    assert torch.equal(*gradients)


def test_proposals_are_as_many_as_asked_for():
    seen = []
    module = build(SMALL[FasterRCNN])
    module.network.roi_heads.box_head.register_forward_hook(
        lambda _, regions, units: seen.append((len(regions[0]), units.shape[1]))
    )
    with torch.no_grad():
        module(pictures())
    module.train().loss(list(pictures()), targets(2, 3))
    assert seen[0] == (2 * 60, 32)
    assert seen[1] == (2 * 40, 32)


def test_a_small_retinanet_learns_to_find_squares():
    torch.manual_seed(0)
    images, wanted = [], []
    for number in range(8):
        image = torch.rand(3, 64, 64) * 0.3
        left, top = 4 + 5 * number, 30 - 3 * number
        image[number % 2, top : top + 20, left : left + 20] += 0.7
        images.append(image)
        box = torch.tensor([[left, top, left + 20.0, top + 20.0]])
        wanted.append(Target(box, torch.tensor([number % 2])))
    module = build(RetinaNet(anchor_scale=0.5, **TINY), ("red", "green")).train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=2e-3)
    for _ in range(60):
        optimizer.zero_grad()
        module.loss(images, wanted).backward()
        optimizer.step()
    with torch.no_grad():
        found = module.eval()(torch.stack(images))
    right = [
        len(ours.classes) > 0
        and bool(ours.classes[0] == each.classes[0])
        and float((ours.boxes[0] - each.boxes[0]).abs().max()) < 6
        for ours, each in zip(found, wanted, strict=True)
    ]
    assert sum(right) >= 6


def test_declaring_and_making_them_loads_no_torch():
    program = """
import sys
from hfcbench.models import faster_rcnn, fcos, retinanet, ssd
for module in (faster_rcnn, fcos, retinanet, ssd):
    module.hfcbench_register_models(lambda name, factory, **_: factory().check(["a", "b"]))
print(sorted({"torch", "torchvision"} & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("[]\n", "")
