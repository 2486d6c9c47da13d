"""Each wrong model, decomposition or heuristic is caught, by the test that says what is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch import nn

from hfcbench.errors import SpecificationError
from hfcbench.testing import DecompositionContract, HeuristicContract, ModelContract
from hfcbench.types import Batch, Heuristic


class Network(nn.Module):
    def __init__(self, shape, classes):
        super().__init__()
        self.convolution = nn.Conv2d(shape.channels, 8, 3)
        self.head = nn.Linear(8, classes)

    def forward(self, images):
        return self.head(self.convolution(images).relu().mean((2, 3)))


class Plain:
    """A small network."""

    network: ClassVar[type[nn.Module]] = Network

    def check(self, shape, classes, options):
        if options.dropout or options.batchnorm:
            raise SpecificationError("it has neither dropout nor BatchNorm")

    def build(self, shape, classes, options):
        return self.network(shape, classes)


def model(**methods):
    """A model whose network has these methods instead."""
    return type("Wrong", (Plain,), {"network": type("Other", (Network,), methods)})


class OfBatch(Network):
    """BatchNorm by the batch's own statistics, always."""

    def forward(self, images):
        features = self.convolution(images)
        normed = nn.functional.batch_norm(features, None, None, training=True)
        return self.head(normed.relu().mean((2, 3)))


class StaysTraining(Network):
    def train(self, mode=True):
        return super().train(True)


class CountsCalls(Network):
    def __init__(self, shape, classes):
        super().__init__(shape, classes)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, images):
        self.calls += 1
        return super().forward(images)


class Forgetful(Network):
    """What it was initialised with is in no checkpoint."""

    def __init__(self, shape, classes):
        super().__init__(shape, classes)
        self.scale = float(torch.rand(()))

    def forward(self, images):
        return super().forward(images) * (1 + self.scale)


class NormalisedOutside(ModelContract):
    """The network's authors normalise before it; the plugin forgot to."""

    def expected(self, module):
        return lambda images: module((images - 0.45) / 0.22)


class Ignores(Plain):
    def check(self, shape, classes, options):
        """Take anything."""


def test_a_good_model_keeps_its_contract(broken):
    assert broken(ModelContract, Plain) == {}


TAKES = "test_it_takes_images_in_the_pixel_range_as_they_are"


def wants_bytes(self, images):
    if images.dtype != torch.uint8:
        raise TypeError("bytes are wanted")
    return Network.forward(self, images.float())


@pytest.mark.parametrize(
    ("wrong", "test", "message"),
    [
        (model(forward=wants_bytes), TAKES, "does not take float images in [0,1]: bytes"),
        (
            model(forward=lambda self, x: Network.forward(self, x / 255 / 255)),
            TAKES,
            "hardly tells black, grey and white images",
        ),
        (model(forward=lambda self, x: Network.forward(self, x)[:, 1:]), TAKES, "expected (9, 5)"),
        (
            type("Wrong", (Plain,), {"network": OfBatch}),
            "test_an_answer_does_not_depend_on_the_rest_of_the_batch",
            "when others are in its batch",
        ),
        (
            type("Wrong", (Plain,), {"network": StaysTraining}),
            "test_in_evaluation_mode_every_part_of_it_is",
            "stay in training mode",
        ),
        (
            model(forward=lambda self, x: Network.forward(self, x + torch.rand(()))),
            "test_answering_changes_nothing_and_is_repeatable",
            "the same images differently",
        ),
        (
            type("Wrong", (Plain,), {"network": CountsCalls}),
            "test_answering_changes_nothing_and_is_repeatable",
            "its own buffers",
        ),
        (
            type("Wrong", (Plain,), {"network": Forgetful}),
            "test_a_checkpoint_is_all_of_it",
            "weights of a checkpoint",
        ),
        (
            model(forward=lambda self, x: Network.forward(self, x.detach())),
            "test_it_can_be_trained_and_attacked",
            "with respect to the images",
        ),
        (Ignores, "test_options_are_followed_or_refused", "has no BatchNorm"),
    ],
)
def test_a_wrong_model_is_caught(broken, wrong, test, message):
    assert message in broken(ModelContract, wrong)[test]


def test_a_forgotten_normalisation_is_caught(broken):
    found = broken(NormalisedOutside, Plain)
    assert "otherwise than its authors' code" in found["test_it_answers_as_its_authors_say"]


def test_a_seed_that_is_not_torch_s_is_caught(broken):
    generators = iter(range(100))

    class Unseeded(Plain):
        def build(self, shape, classes, options):
            torch.manual_seed(next(generators))
            return Network(shape, classes)

    found = broken(ModelContract, Unseeded)
    assert "other weights" in found["test_the_same_seed_builds_the_same_module"]


class Split:
    """Means of rows, and the rest."""

    parts = ("lfc", "hfc")

    def parse(self, text):
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if value <= 0:
            raise SpecificationError(f"'{text}' is no cutoff")
        return value

    def check(self, cutoff, shape):
        """Any will do."""

    def split(self, images, cutoffs):
        low = images.mean(3, keepdim=True).expand_as(images)
        return [(low / cutoff, images - low / cutoff) for cutoff in cutoffs]


def split(change):
    return type("Wrong", (Split,), {"split": lambda self, x, cutoffs: change(x, cutoffs)})


def test_a_good_decomposition_keeps_its_contract(broken):
    assert broken(DecompositionContract, Split) == {}


SAME = "test_the_same_images_are_split_the_same_way"


@pytest.mark.parametrize(
    ("wrong", "test", "message"),
    [
        (
            split(lambda x, cutoffs: [(x * 0.5, x * 0.4) for _ in cutoffs]),
            "test_the_parts_add_up_to_the_image",
            "whose sum is off by",
        ),
        (
            split(lambda x, cutoffs: [(x.double() / 2, x.double() / 2) for _ in cutoffs]),
            "test_the_parts_add_up_to_the_image",
            "torch.float64",
        ),
        (
            split(lambda x, cutoffs: [(x.clone(), x * 0) for _ in cutoffs]),
            "test_both_parts_hold_something",
            "leaves hfc@2 empty",
        ),
        (
            split(lambda x, cutoffs: [(x.mean(0, keepdim=True).expand_as(x), x - x.mean(0))] * 2),
            SAME,
            "when others are in its batch",
        ),
        (
            split(lambda x, cutoffs: [(x, torch.full_like(x, 1e-6)) for _ in cutoffs]),
            "test_the_images_stay_as_they_are",
            "hands out the images",
        ),
        (
            type("Wrong", (Split,), {"parse": lambda self, text: 2.0}),
            "test_what_is_no_cutoff_is_refused",
            "takes '' for a cutoff",
        ),
        (
            type("Wrong", (Split,), {"parts": ("low", "low")}),
            "test_the_parts_have_names",
            "not two different words",
        ),
    ],
)
def test_a_wrong_decomposition_is_caught(broken, wrong, test, message):
    assert message in broken(DecompositionContract, wrong)[test]


class Darker(Heuristic):
    """Train on darker images. Source: none."""

    def transform(self, batch, model, generator):
        return Batch(batch.images * 0.7, batch.targets)


class AtEvaluation(Darker):
    """Wraps what the model answers, for good."""

    def transform(self, batch, model, generator):
        if not hasattr(model, "warmer"):
            model.warmer = lambda module, given, answer: answer * 0.5
            model.register_forward_hook(model.warmer)
        return super().transform(batch, model, generator)


class Replaces(Darker):
    def configure(self, recipe):
        object.__setattr__(recipe, "schedule", replace(recipe.schedule, epochs=1))
        return recipe


class NoEffect(Heuristic):
    """Change nothing. Source: none."""


class Doubles(Darker):
    def transform(self, batch, model, generator):
        return Batch(batch.images, batch.targets * 2)


class Settings(Darker):
    def transform(self, batch, model, generator):
        torch.set_num_threads(torch.get_num_threads() % 2 + 1)
        return super().transform(batch, model, generator)


def test_a_good_heuristic_keeps_its_contract(broken):
    assert broken(HeuristicContract, Darker) == {}


@pytest.mark.parametrize(
    ("wrong", "test", "message"),
    [
        (AtEvaluation, "test_it_does_not_change_the_evaluation", "beside its weights"),
        (Replaces, "test_the_recipe_that_it_is_given_stays_as_it_was", "changes the recipe"),
        (NoEffect, "test_it_changes_the_training", "the same weights as vanilla"),
        (Doubles, "test_batches_stay_images_and_probabilities", "do not sum to 1"),
    ],
)
def test_a_wrong_heuristic_is_caught(broken, wrong, test, message):
    assert message in broken(HeuristicContract, wrong)[test]


def test_random_numbers_of_python_are_caught(broken):
    draws = iter(range(1, 10_000))

    class Drawn(Darker):
        def transform(self, batch, model, generator):
            return Batch(batch.images / next(draws), batch.targets)

    found = broken(HeuristicContract, Drawn)
    assert "other weights at the same seed" in found["test_the_same_seed_trains_the_same_weights"]


# Three batches: an odd number, after which the setting is another one.
ONE_EPOCH = replace(HeuristicContract.schedule, epochs=1)


def test_settings_that_outlast_the_training_are_caught(broken):
    threads = torch.get_num_threads()
    try:
        found = broken(HeuristicContract, Settings, schedule=ONE_EPOCH)
    finally:
        torch.set_num_threads(threads)
    assert "outlast the training" in found["test_it_leaves_torch_as_it_was"]
