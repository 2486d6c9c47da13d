"""What each heuristic changes in a recipe, and which of them exclude each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hfcbench.errors import SpecificationError
from hfcbench.heuristics.batch_size import BatchSize
from hfcbench.heuristics.batchnorm import BatchNorm
from hfcbench.heuristics.dropout import Dropout
from hfcbench.heuristics.label_shuffling import LabelShuffling
from hfcbench.heuristics.mixup import Mixup
from hfcbench.heuristics.optimizer import Optimizer
from hfcbench.parameters import ParameterSchema
from hfcbench.plugins import load_plugins
from hfcbench.types import ModelOptions, Recipe, Schedule

VANILLA = Recipe()
EVERY = [BatchSize(10), BatchNorm(), Dropout(), LabelShuffling(), Mixup(), Optimizer("SGD")]


def test_batch_size_replaces_the_schedules():
    recipe = BatchSize(32).configure(Recipe(Schedule(epochs=3, batch_size=500)))
    assert recipe == Recipe(Schedule(epochs=3, batch_size=32))


def test_batchnorm_is_an_option_of_the_model():
    assert BatchNorm().configure(VANILLA) == Recipe(options=ModelOptions(batchnorm=True))


def test_dropout_is_the_papers_by_default():
    assert Dropout().configure(VANILLA) == Recipe(options=ModelOptions(dropout=0.5))
    assert Dropout(0.2).configure(VANILLA) == Recipe(options=ModelOptions(dropout=0.2))


@pytest.mark.parametrize("heuristic", [Mixup(), LabelShuffling()])
def test_others_change_neither_schedule_nor_model(heuristic):
    assert heuristic.configure(VANILLA) == VANILLA


def test_all_of_them_go_together():
    recipe = VANILLA
    for heuristic in EVERY:
        recipe = heuristic.configure(recipe)
    schedule = replace(Schedule(), batch_size=10, optimizer="SGD", learning_rate=None)
    assert recipe == Recipe(schedule, ModelOptions(batchnorm=True, dropout=0.5))


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (BatchSize(10), BatchSize(20), "the batch size: 'batch-size' and 'batch-size'"),
        (BatchNorm(), BatchNorm(), "BatchNorm: 'batchnorm' and 'batchnorm'"),
        (Dropout(0.1), Dropout(0.2), "dropout: 'dropout' and 'dropout'"),
        (Mixup(), Mixup(1.0), "mix-up: 'mixup' and 'mixup'"),
        (LabelShuffling(), LabelShuffling(), "the training labels: 'label-shuffling' and"),
        (Optimizer("SGD"), Optimizer("Adam"), "the optimizer: 'optimizer' and 'optimizer'"),
    ],
)
def test_two_that_decide_the_same_are_refused(first, second, message):
    with pytest.raises(SpecificationError, match=f"two heuristics .* decide {message}"):
        second.configure(first.configure(VANILLA))


def test_a_third_partys_claim_counts_too():
    recipe = VANILLA.claimed("the batch size", "gradual-batches")
    with pytest.raises(SpecificationError, match="'gradual-batches' and 'batch-size'"):
        BatchSize(20).configure(recipe)


def test_a_recipe_is_left_as_it_was():
    for heuristic in EVERY:
        heuristic.configure(VANILLA)
    assert Recipe() == VANILLA
    assert VANILLA.claims == {}


@pytest.mark.parametrize(
    ("factory", "values"),
    [
        (Dropout, {"p": 0.0}),
        (Dropout, {"p": 1.0}),
        (Dropout, {"p": "half"}),
        (Mixup, {"alpha": 0}),
        (BatchSize, {"size": 0}),
        (BatchSize, {}),
        (Optimizer, {"name": "SGD", "learning_rate": -0.1}),
        (Optimizer, {"name": "SGD", "options": {"momentum": "much"}}),
        (BatchNorm, {"momentum": 0.1}),
    ],
)
def test_values_out_of_range_are_refused(factory, values):
    with pytest.raises(SpecificationError, match="'thing'"):
        ParameterSchema(factory, "heuristic 'thing'").validate(values)


def test_names_and_inline_arguments():
    modules = ("batch_size", "batchnorm", "dropout", "label_shuffling", "mixup", "optimizer")
    names = [f"hfcbench.heuristics.{module}" for module in modules]
    plugins = load_plugins(installed=(), builtin_modules=names)
    assert not plugins.failed
    assert [known.name for known in plugins.registry.all("heuristic")] == [
        "batch-size",
        "batchnorm",
        "dropout",
        "label-shuffling",
        "mixup",
        "optimizer",
    ]
    assert all(known.description for known in plugins.registry.all("heuristic"))
    resolve = plugins.registry.resolve
    assert resolve("heuristic", "batch-size:16", {}).parameters == {"size": 16}
    assert resolve("heuristic", "optimizer:SGD", {}).parameters["name"] == "SGD"
