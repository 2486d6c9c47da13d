"""Wrong datasets, metrics, analyses, executors and suites are caught."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from hfcbench import hookimpl
from hfcbench.executors.in_process import InProcess
from hfcbench.quantities import Quantity
from hfcbench.runner.tasks import EvaluationTask, Outcome
from hfcbench.testing import (
    AnalysisContract,
    ContractError,
    DatasetContract,
    ExecutorContract,
    MetricContract,
    SuiteContract,
)
from hfcbench.types import DatasetDescription, ImageShape, Score


class Images:
    """Noise of three classes."""

    def prepare(self, location):
        """Nothing to fetch."""

    def describe(self, location):
        return DatasetDescription(
            ("a", "b", "c"), ImageShape(1, 4, 4), {"train": 12, "test": 6}, "drawn"
        )

    def read(self, location, split):
        count = 12 if split == "train" else 6
        draw = np.random.default_rng(count)
        yield self.images(draw, count), np.arange(count) % 3

    def images(self, draw, count):
        return draw.integers(0, 256, (count, 1, 4, 4), np.uint8)


class SharedImages(Images):
    def images(self, draw, count):
        return np.random.default_rng(0).integers(0, 256, (count, 1, 4, 4), np.uint8)


class OtherLabels(Images):
    def read(self, location, split):
        for images, labels in super().read(location, split):
            yield images, labels + 1


class Unseeded(Images):
    numbers = itertools.count(100)

    def images(self, draw, count):
        return super().images(np.random.default_rng(next(self.numbers)), count)


class Floats(Images):
    def images(self, draw, count):
        return draw.random((count, 1, 4, 4))


class TooFew(Images):
    def read(self, location, split):
        for images, labels in super().read(location, split):
            yield images[1:], labels[1:]


def test_a_good_dataset_keeps_its_contract(broken):
    assert broken(DatasetContract, Images) == {}


@pytest.mark.parametrize(
    ("wrong", "test", "message"),
    [
        (SharedImages, "test_splits_share_no_image", "in both train and test"),
        (OtherLabels, "test_it_holds_what_it_announces", "labels from 1 to 3 for 3 classes"),
        (Unseeded, "test_it_is_the_same_twice", "at a second reading"),
        (Floats, "test_it_holds_what_it_announces", "float64 images"),
        (TooFew, "test_it_holds_what_it_announces", "11 images, 12 were announced"),
    ],
)
def test_a_wrong_dataset_is_caught(broken, wrong, test, message):
    assert message in broken(DatasetContract, wrong)[test]


class Share:
    """Share of right answers."""

    higher_is_better: ClassVar[bool] = True

    def score(self, predictions):
        value = float((predictions.predicted == predictions.labels).mean())
        return Score(value, max(0.0, value - 0.1), min(1.0, value + 0.1), len(predictions.labels))


def metric(change):
    """A metric that says something else of the share ``s`` of ``p``."""

    def score(self, predictions):
        return change(Share().score(predictions), predictions)

    return type("Wrong", (Share,), {"score": score})


class Reversed(Share):
    higher_is_better: ClassVar[bool] = False


RANGE = "test_scores_are_numbers_of_its_range_in_their_intervals"


def test_a_good_metric_keeps_its_contract(broken):
    assert broken(MetricContract, Share) == {}


def spoils(score, predictions):
    predictions.confidence[:] = 0
    return score


@pytest.mark.parametrize(
    ("wrong", "test", "message"),
    [
        (metric(lambda s, p: Score(100 * s.value, s.low, 100, s.n)), RANGE, "outside of 0 to 1"),
        (metric(lambda s, p: Score(s.value, 0.9, 1.0, s.n)), RANGE, "its own interval"),
        (metric(lambda s, p: Score(s.value, s.low, s.high, 1)), RANGE, "1 images are behind it"),
        (Reversed, "test_right_answers_score_better_than_wrong_ones", "higher_is_better = False"),
        (
            metric(lambda s, p: Score(float(p.predicted[0] == 0) * 0.5, 0, 1, s.n)),
            "test_the_order_of_images_does_not_matter",
            "order of images",
        ),
        (
            metric(spoils),
            "test_the_same_predictions_get_the_same_score",
            "changes the confidence",
        ),
    ],
)
def test_a_wrong_metric_is_caught(broken, wrong, test, message):
    assert message in broken(MetricContract, wrong)[test]


class Brightness:
    """Mean pixel."""

    attacked: ClassVar[bool] = False

    def check(self, shape):
        """Anything will do."""

    def measure(self, subject):
        images = subject.images.images
        return [Quantity("mean-pixel", "", np.array(images.mean() / 255), n=len(images))]


def analysis(measure):
    return type("Wrong", (Brightness,), {"measure": lambda self, subject: measure(subject)})


def one(value, name="number"):
    return Quantity(name, "", np.array(value))


def trains(subject):
    subject.model.train()
    return [one(1.0)]


NAMED = "test_quantities_have_names_and_finite_numbers"


def test_a_good_analysis_keeps_its_contract(broken):
    assert broken(AnalysisContract, Brightness) == {}


@pytest.mark.parametrize(
    ("wrong", "test", "message"),
    [
        (analysis(lambda s: [one(1.0, "Mean Pixel")]), NAMED, "use a-z, 0-9 and hyphens"),
        (analysis(lambda s: [one(1.0), one(2.0)]), NAMED, "two quantities 'number'"),
        (analysis(lambda s: [one(np.nan)]), NAMED, "not finite"),
        (analysis(lambda s: []), NAMED, "measures nothing"),
        (
            analysis(lambda s: [one(np.random.default_rng().random())]),
            "test_the_same_seed_gives_the_same_numbers",
            "at the same seed",
        ),
        (analysis(trains), "test_model_and_images_stay_as_they_were", "in training mode"),
    ],
)
def test_a_wrong_analysis_is_caught(broken, wrong, test, message):
    assert message in broken(AnalysisContract, wrong)[test]


class Loses(InProcess):
    """Drop the last task."""

    def execute(self, tasks, worker, listener):
        yield from super().execute(tasks[:-1], worker, listener)


class Repeats(InProcess):
    def execute(self, tasks, worker, listener):
        yield from super().execute([*tasks, *tasks[:1]], worker, listener)


class EvaluatesFirst(InProcess):
    def execute(self, tasks, worker, listener):
        order = sorted(tasks, key=lambda task: not isinstance(task, EvaluationTask))
        yield from super().execute(order, worker, listener)


class RunsOnFailed(InProcess):
    def execute(self, tasks, worker, listener):
        for task in tasks:
            if not listener.claim(task):
                yield task, Outcome(deferred=True)
                continue
            listener.started(task)
            yield task, worker.run(task, lambda share: None)


class ClaimsNothing(InProcess):
    def execute(self, tasks, worker, listener):
        told = SimpleNamespace(
            claim=lambda task: True, started=listener.started, advanced=listener.advanced
        )
        yield from super().execute(tasks, worker, told)


@pytest.mark.parametrize(
    ("wrong", "test", "message"),
    [
        (Loses, "test_every_task_comes_back_once", "0 times"),
        (Repeats, "test_every_task_comes_back_once", "2 times"),
        (EvaluatesFirst, "test_a_training_comes_before_what_needs_it", "before the training"),
        (RunsOnFailed, "test_what_needs_a_failed_training_is_skipped", "training failed"),
        (ClaimsNothing, "test_only_what_may_be_claimed_runs", "may be claimed"),
        (ClaimsNothing, "test_tasks_are_claimed_and_said_to_start", "before it is claimed"),
    ],
)
def test_a_wrong_executor_is_caught(broken, wrong, test, message):
    assert message in broken(ExecutorContract, wrong)[test]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("blocks: [{models: [lenet6]}]", "did you mean 'lenet5'"),
        ("epoch: 3\nblocks: [{models: [lenet5]}]", "epoch"),
        ("blocks: [{models: [lenet5], components: [lfc@800]}]", "800"),
    ],
)
def test_a_wrong_suite_is_caught(text, message, tmp_path):
    file = tmp_path / "suite.yaml"
    dataset = "planted-band(size=16, train_per_class=3, test_per_class=2)"
    file.write_text(f'title: Wrong\ndatasets: ["{dataset}"]\n{text}\n', encoding="utf-8")

    @hookimpl
    def hfcbench_register_suites(register):
        register("wrong", file, version="1", description="Wrong.")

    plugin = SimpleNamespace(hfcbench_register_suites=hfcbench_register_suites)
    with pytest.raises(ContractError, match="cannot be planned") as raised:
        SuiteContract.of(plugin, "wrong").test_it_expands_to_a_plan()
    assert message in str(raised.value)
