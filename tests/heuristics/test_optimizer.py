"""Optimizers by name, checked before anything runs."""

from __future__ import annotations

import pytest
import torch

from hfcbench.errors import SpecificationError
from hfcbench.heuristics.optimizer import Optimizer
from hfcbench.types import Recipe, Schedule


def refusal(name, **parameters):
    with pytest.raises(SpecificationError) as caught:
        Optimizer(name, **parameters).configure(Recipe())
    return str(caught.value)


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adagrad", "Adadelta", "RMSprop", "NAdam"])
def test_torchs_names_are_taken(name):
    schedule = Optimizer(name).configure(Recipe()).schedule
    assert (schedule.optimizer, schedule.learning_rate) == (name, None)
    made = getattr(torch.optim, name)([torch.zeros(1, requires_grad=True)])
    assert made.defaults["lr"] > 0


def test_everything_of_the_former_optimizer_is_replaced():
    before = Schedule(
        epochs=7, optimizer="Adam", learning_rate=1e-4, optimizer_options={"betas": [0.5, 0.9]}
    )
    heuristic = Optimizer("SGD", learning_rate=0.1, options={"momentum": 0.9, "nesterov": True})
    after = heuristic.configure(Recipe(before)).schedule
    assert after == Schedule(
        epochs=7,
        optimizer="SGD",
        learning_rate=0.1,
        optimizer_options={"momentum": 0.9, "nesterov": True},
    )


def test_lists_are_options_too():
    recipe = Optimizer("AdamW", options={"betas": [0.8, 0.99]}).configure(Recipe())
    assert recipe.schedule.optimizer_options == {"betas": [0.8, 0.99]}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sgd", "did you mean 'SGD'?"),
        ("rmsprop", "did you mean 'RMSprop'?"),
        ("Adadlta", "did you mean 'Adadelta'"),
        ("Optimizer", "no optimizer 'Optimizer'"),
        ("lr_scheduler", "no optimizer 'lr_scheduler'"),
    ],
)
def test_unknown_names_get_the_nearest(name, message):
    assert message in refusal(name)


@pytest.mark.parametrize("name", ["LBFGS", "SparseAdam", "Muon"])
def test_optimizers_that_cannot_train_networks_say_why(name):
    assert f"'{name}' cannot train these models: it " in refusal(name)
    assert name not in refusal("unlike-any-other-name")


def test_unknown_options_get_the_nearest():
    assert "has no option 'momentun'; did you mean 'momentum'?" in refusal(
        "SGD", options={"momentun": 0.9}
    )


def test_refused_values_are_told_before_training():
    message = refusal("SGD", options={"momentum": -1.0})
    assert "'SGD' refuses its options: Invalid momentum value: -1.0" in message


def test_the_learning_rate_has_one_place():
    assert "learning_rate" in refusal("SGD", options={"lr": 0.1})
