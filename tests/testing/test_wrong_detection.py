"""Wrong detection datasets, detectors and metrics of detections are caught."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.detection_types import DetectionScores, Found, Objects, Picture
from hfcbench.testing import DetectionDatasetContract, DetectionMetricContract, DetectorContract
from hfcbench.types import DatasetDescription, ImageShape, Score


class Pictures:
    """Noise with one box in each picture; an empty one beside them."""

    task = "detection"

    def prepare(self, location):
        """Nothing to fetch."""

    def describe(self, location):
        shape = ImageShape(3, 12, 16)
        return DatasetDescription(
            ("ring", "square"), shape, {"train": 4, "test": 3}, "drawn", task=self.task
        )

    def pictures(self, location, split):
        first, count = (0, 4) if split == "train" else (10, 3)
        return [self.picture(number) for number in range(first, first + count)]

    def picture(self, number):
        pixels = np.random.default_rng(number).integers(0, 256, (3, 12, 16), np.uint8)
        content = hashlib.sha256(pixels.tobytes()).hexdigest()
        return Picture(
            self.name(number), 12, 16, self.objects(number), content, lambda: self.read(pixels)
        )

    def name(self, number):
        return f"{number}.png"

    def read(self, pixels):
        return pixels

    def objects(self, number):
        count = 1 if number % 2 else 0
        return Objects(
            self.boxes(np.tile(np.array([[6, 6, 9, 11]], np.float32), (count, 1))),
            self.classes(np.full(count, number // 2 % 2)),
            np.full(count, 15, np.float32),
            np.zeros(count, np.bool_),
        )

    def boxes(self, boxes):
        return boxes

    def classes(self, classes):
        return classes


class Classifying(Pictures):
    task = "classification"


class OneName(Pictures):
    def name(self, number):
        return "picture.png"


class TurnedAround(Pictures):
    """Height and width are those of the file, the pixels are not."""

    def read(self, pixels):
        return pixels.transpose(0, 2, 1)


class TooFew(Pictures):
    def pictures(self, location, split):
        return super().pictures(location, split)[1:]


class WidthsAndHeights(Pictures):
    """Boxes as COCO's files have them: left, top, width, height."""

    def boxes(self, boxes):
        return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)


class Outside(Pictures):
    def boxes(self, boxes):
        return boxes + np.float32(8)


class FromOne(Pictures):
    def classes(self, classes):
        return classes + 1


class Flat(Pictures):
    def boxes(self, boxes):
        return boxes.reshape(-1)


class Wandering(Pictures):
    """Boxes move whenever they are asked for."""

    draws = itertools.count()

    def boxes(self, boxes):
        return boxes + np.float32(next(self.draws) % 2)


class Flickering(Pictures):
    """Pixels differ whenever they are read."""

    draws = itertools.count()

    def read(self, pixels):
        return pixels ^ np.uint8(next(self.draws) % 2)


class Leaking(Pictures):
    def pictures(self, location, split):
        taken = super().pictures(location, split)
        return [*taken[1:], self.picture(20)]


def test_a_good_detection_dataset_keeps_its_contract(broken):
    assert broken(DetectionDatasetContract, Pictures) == {}


@pytest.mark.parametrize(
    ("wrong", "test", "message"),
    [
        (Classifying, "test_it_says_that_it_is_for_detection", "task = 'detection'"),
        (OneName, "test_it_holds_what_it_announces", "two train pictures of one name"),
        (TurnedAround, "test_it_holds_what_it_announces", "is not what it says"),
        (TooFew, "test_it_holds_what_it_announces", "has 3 train pictures, announced are 4"),
        (WidthsAndHeights, "test_objects_lie_in_their", "right or bottom edge comes first"),
        (Outside, "test_objects_lie_in_their", "leaves its picture 1.png"),
        (FromOne, "test_objects_lie_in_their", "labels outside of 0..1"),
        (Flat, "test_objects_lie_in_their", r"boxes, areas and crowds of shapes"),
        (Wandering, "test_it_is_the_same_twice", "at a second call"),
        (Flickering, "test_it_is_the_same_twice", "other pixels of 0.png at a second reading"),
        (Leaking, "test_splits_share_no_picture", "in both train and test"),
    ],
)
def test_a_wrong_detection_dataset_is_caught(broken, wrong, test, message):
    told = broken(DetectionDatasetContract, wrong)
    assert message in next(text for name, text in told.items() if name.startswith(test))


class Finding(nn.Module):
    """One box for every picture, wherever its weights say."""

    def __init__(self, classes):
        super().__init__()
        self.box = nn.Parameter(torch.rand(4) + torch.tensor([10.0, 10, 60, 60]))
        self.logits = nn.Parameter(torch.rand(len(classes)))

    def forward(self, images):
        return [self.found(image) for image in images]

    def found(self, image):
        score, label = torch.sigmoid(self.logits).max(0)
        return Found(self.box[None].detach(), score[None].detach(), label[None])

    def loss(self, images, targets):
        wanted = torch.cat([target.boxes for target in targets])
        return (self.box - wanted).square().mean() + self.logits.square().sum()


class Detector:
    """Finds one thing. Source: none."""

    task = "detection"
    module: type[nn.Module] = Finding

    def check(self, classes):
        """Any will do."""

    def files_sha256(self, location):
        return None

    def build(self, classes, location):
        return self.module(classes)


def made_of(module):
    return type("WrongDetector", (Detector,), {"module": module})


def detector(**members):
    """A detector whose module has other methods."""
    return made_of(type("Wrong", (Finding,), dict(members)))


def logits(self, image):
    return torch.zeros(3)


def from_one(self, image):
    found = Finding.found(self, image)
    return replace(found, classes=found.classes + 3)


def uneven(self, image):
    found = Finding.found(self, image)
    return replace(found, scores=found.scores.repeat(2))


def at_random(self, image):
    found = Finding.found(self, image)
    return replace(found, boxes=found.boxes + torch.rand(1))


def counting(self, image):
    if not hasattr(self, "seen"):
        self.register_buffer("seen", torch.zeros(1))
    self.seen += 1
    return Finding.found(self, image)


class Unsaved(Finding):
    """What decides its answers is neither parameter nor buffer."""

    def __init__(self, classes):
        super().__init__(classes)
        self.offset = float(torch.rand(1))

    def found(self, image):
        found = super().found(image)
        return replace(found, boxes=found.boxes + self.offset)


class AlwaysTraining(Finding):
    def train(self, mode=True):
        return super().train(True)


def loss_of_each(self, images, targets):
    return torch.stack([self.box.mean() for _ in images])


def mean_over_each_pictures_boxes(self, images, targets):
    """Divides by the number of boxes, also where there are none."""
    return torch.stack([(self.box - target.boxes).square().mean() for target in targets]).sum()


def cut_off(self, images, targets):
    return (self.box * 0 + self.logits.sum() * 0).sum()


class Unsaid(Detector):
    task = "classification"


def test_a_good_detector_keeps_its_contract(broken):
    assert broken(DetectorContract, Detector) == {}


@pytest.mark.parametrize(
    ("wrong", "test", "message"),
    [
        (Unsaid, "test_it_says_that_it_is_for_detection", "task = 'detection'"),
        (detector(found=logits), "test_it_finds_objects", "gives no detections"),
        (detector(found=from_one), "test_it_finds_objects", "gives no detections"),
        (detector(found=uneven), "test_it_finds_objects", "gives no detections"),
        (detector(found=at_random), "test_answers_are_repeatable", "differently"),
        (detector(found=counting), "test_answers_are_repeatable", "changes its own buffers"),
        (made_of(Unsaved), "test_a_checkpoint_is_all_of_it", "weights of a checkpoint"),
        (made_of(AlwaysTraining), "test_in_evaluation_mode", "stay in training mode"),
        (detector(loss=loss_of_each), "test_it_can_be_trained", "no single number"),
        (detector(loss=mean_over_each_pictures_boxes), "test_it_can_be_trained", "not finite"),
        (detector(loss=cut_off), "test_it_can_be_trained", "has no gradient with respect to any"),
        (made_of(staticmethod(lambda classes: "a net")), "test_it_finds_objects", "builds a str"),
    ],
)
def test_a_wrong_detector_is_caught(broken, wrong, test, message):
    told = broken(DetectorContract, wrong)
    assert message in next(text for name, text in told.items() if name.startswith(test))


class Overlap:
    """The mean overlap (intersection over union) of each detection with the object of its rank."""

    task = "detection"
    higher_is_better = True

    def score(self, detections):
        objects = detections.pictures.boxes
        values = np.array(
            [_overlap(one, two) for one, two in zip(objects, detections.boxes, strict=True)]
        )
        total = self.total(float(values.mean()), len(values))
        return DetectionScores(total, {}, self.each(values.reshape(-1, 2).mean(1)))

    def total(self, value, count):
        return Score(value, value, value, count)

    def each(self, values):
        return values


def _overlap(one, two):
    corner = np.minimum(one[2:], two[2:]) - np.maximum(one[:2], two[:2])
    common = np.prod(np.maximum(corner, 0))
    sizes = np.prod(one[2:] - one[:2]) + np.prod(two[2:] - two[:2])
    return common / (sizes - common)


class Percent(Overlap):
    def total(self, value, count):
        return Score(100 * value, 0.0, 100.0, count)


class OutsideItsInterval(Overlap):
    def total(self, value, count):
        return Score(value, value + 0.1, value + 0.2, count)


class Backwards(Overlap):
    higher_is_better = False


class Unsteady(Overlap):
    draws = itertools.count(1)

    def total(self, value, count):
        return Score(value, value / (1 + next(self.draws)), 1.0, count)


class OnePicture(Overlap):
    def each(self, values):
        return values[:1]


class PicturesInPercent(Overlap):
    def each(self, values):
        return 100 * values


class Number(Overlap):
    def score(self, detections):
        return super().score(detections).total.value


class OfClassification(Overlap):
    task = "classification"


def test_a_good_metric_of_detections_keeps_its_contract(broken):
    assert broken(DetectionMetricContract, Overlap) == {}


@pytest.mark.parametrize(
    ("wrong", "test", "message"),
    [
        (OfClassification, "test_it_says_that_it_is_for_detection", "task = 'detection'"),
        (Percent, "test_scores_are_numbers", "outside of 0 to 1"),
        (OutsideItsInterval, "test_scores_are_numbers", "not inside of its own interval"),
        (Backwards, "test_finding_everything", "higher_is_better = False"),
        (Unsteady, "test_the_same_detections", "scores the same detections differently"),
        (OnePicture, "test_scores_are_numbers", "(1,) scores for 6 pictures"),
        (PicturesInPercent, "test_scores_are_numbers", "scores of pictures outside"),
        (Number, "test_scores_are_numbers", "gives a float instead of DetectionScores"),
    ],
)
def test_a_wrong_metric_of_detections_is_caught(broken, wrong, test, message):
    told = broken(DetectionMetricContract, wrong)
    assert message in next(text for name, text in told.items() if name.startswith(test))
