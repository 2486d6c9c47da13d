"""The training loop of detectors, with a detector whose best weights are known."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from hfcbench.decompositions.fft_radial import FFTRadial
from hfcbench.detection.learning_rates import learning_rate_factor
from hfcbench.detection.training import DetectorJob, train_detector
from hfcbench.detection.training_pictures import TrainingPictures
from hfcbench.detection_types import TRAINED, Objects
from hfcbench.errors import NodeError
from hfcbench.frequency.components import ORIGINAL, Component
from hfcbench.training.job import CurveView
from hfcbench.types import DataLocation, Schedule

CPU = torch.device("cpu")
LOW = Component(FFTRadial(), 0, 6.0)


def share_found(detections):
    """How many of the pictures have a box that is right to a pixel."""
    return float((np.abs(detections.boxes - detections.pictures.boxes) < 1).all(1).mean())


@pytest.fixture
def job(squares, brightness):
    dataset = squares()
    return DetectorJob(
        train=dataset.pictures(DataLocation(), "train"),
        test=dataset.pictures(DataLocation(), "test"),
        class_names=("dim", "bright"),
        detector=brightness(),
        location=DataLocation(),
        schedule=Schedule(epochs=30, batch_size=4, optimizer="Adam", learning_rate=0.5),
        seed=0,
        device=CPU,
        measure=share_found,
    )


def test_it_learns_where_the_boxes_are(job):
    result = train_detector(job)
    assert result.module.shift.abs().max() < 0.5
    assert not result.module.training
    assert result.parameter_count == 4


def test_the_curve_holds_the_loss_and_what_is_measured_of_both_splits(job):
    job = replace(job, curve=(CurveView(ORIGINAL, "0"), CurveView(LOW, "1")), curve_samples=5)
    result = train_detector(job)
    points = {(p.epoch, p.split, p.key, p.metric): (p.value, p.n) for p in result.curve}

    assert len(points) == 30 * (1 + 4)
    assert points[1, "train", TRAINED, "loss"][0] > points[30, "train", TRAINED, "loss"][0]
    assert points[30, "train", TRAINED, "loss"][1] == 12
    assert points[1, "test", "0", "map"] == (0, 5)
    assert points[30, "test", "0", "map"] == (1, 5)
    assert result.curve_seconds > 0


def test_the_same_seed_gives_the_same_weights_with_and_without_a_curve(job):
    job = replace(job, schedule=replace(job.schedule, epochs=3, augmentation="flip"))
    weights = train_detector(job).module.shift
    measured = train_detector(replace(job, curve=(CurveView(ORIGINAL, "0"),))).module.shift
    assert torch.equal(weights, measured)
    assert not torch.equal(weights, train_detector(replace(job, seed=1)).module.shift)


def test_every_picture_is_seen_once_an_epoch(job):
    seen = train_detector(replace(job, schedule=replace(job.schedule, epochs=3))).module.seen
    assert int(seen) == 3 * 12


def test_without_epochs_nothing_is_trained_and_no_pictures_are_needed(job):
    job = replace(job, train=(), schedule=replace(job.schedule, epochs=0))
    result = train_detector(job)
    assert ((result.module.shift >= 8) & (result.module.shift <= 9)).all()
    assert result.curve == ()


def test_a_loss_that_is_no_number_ends_it(job):
    job = replace(job, schedule=replace(job.schedule, learning_rate=1e38, optimizer="SGD"))
    with pytest.raises(NodeError, match=r"training loss is (inf|nan) in epoch"):
        train_detector(job)


def test_one_step_by_hand(job):
    schedule = Schedule(epochs=1, batch_size=12, optimizer="SGD", learning_rate=0.5)
    start = train_detector(replace(job, schedule=replace(schedule, epochs=0))).module.shift
    result = train_detector(replace(job, schedule=schedule))
    # Every box is off by the shift, whose mean square has half of it as gradient.
    torch.testing.assert_close(result.module.shift, start - 0.5 * start / 2)


def test_learning_rates_rise_and_fall():
    factors = [learning_rate_factor(step, 100) for step in range(100)]
    assert factors[:5] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert factors[5] == pytest.approx((1 + math.cos(math.pi / 96)) / 2)
    assert factors[52] == pytest.approx(0.5, abs=0.02)
    assert all(later < earlier for earlier, later in pairwise(factors[4:]))
    assert 0 < factors[-1] < 0.001
    assert learning_rate_factor(0, 1) == 1


def test_mirrored_pictures_have_mirrored_boxes(make_picture):
    picture = make_picture(7)
    examples = TrainingPictures([picture], ORIGINAL, CPU)
    view, target = examples.example(0, mirrored=False)
    mirrored, moved = examples.example(0, mirrored=True)

    assert torch.equal(mirrored, view.flip(-1))
    left, top, right, bottom = map(int, moved.boxes[0])
    assert (mirrored[:, top:bottom, left:right] > 0.9).all()
    assert moved.boxes[0, 2] - moved.boxes[0, 0] == target.boxes[0, 2] - target.boxes[0, 0]


def test_crowds_and_empty_boxes_are_not_learned_from(make_picture):
    objects = Objects(
        boxes=np.array([[1, 2, 3, 4], [5, 5, 5, 9], [0, 0, 9, 9]], np.float32),
        classes=np.array([0, 1, 1]),
        areas=np.array([4, 0, 81], np.float32),
        crowds=np.array([False, False, True]),
    )
    examples = TrainingPictures([replace(make_picture(0), objects=objects)], LOW, CPU)
    view, target = examples.example(0, mirrored=False)
    assert target.boxes.tolist() == [[1, 2, 3, 4]]
    assert target.classes.tolist() == [0]
    assert view.min() < 0  # a component, not the picture


def test_a_batch_that_does_not_fit_into_memory_is_not_taken_apart(job):
    class Large:
        def build(self, classes, location):
            module = job.detector.build(classes, location)
            whole = module.loss

            def loss(images, targets):
                if len(images) > 2:
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 7.00 GiB.")
                return whole(images, targets)

            module.loss = loss
            return module

    with pytest.raises(NodeError) as caught:
        train_detector(replace(job, detector=Large()))
    assert caught.value.what.startswith("out of memory at a batch of 4 pictures, which stays whole")
    assert "--batch-size" in str(caught.value.hint)
