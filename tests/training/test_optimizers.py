"""Any optimizer of torch by name; the fast kernels compute what the plain ones do."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from hfcbench.errors import SpecificationError
from hfcbench.optimizers import optimizer_classes
from hfcbench.training.optimizers import make_optimizer
from hfcbench.types import Schedule


def trained(schedule: Schedule) -> nn.Module:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, (1, 3)), nn.Flatten(), nn.Linear(40, 2)
    ).to(memory_format=torch.channels_last)
    optimizer = make_optimizer(schedule, module.parameters())
    images = torch.rand(8, 3, 6, 6).contiguous(memory_format=torch.channels_last)
    for _ in range(3):
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(F.cross_entropy(module(images), torch.arange(8) % 2))
        optimizer.step()
    return module


@pytest.mark.parametrize("name", sorted(set(optimizer_classes()) - {"LBFGS", "Muon", "SparseAdam"}))
def test_every_optimizer_trains_with_its_defaults(name):
    start, end = (
        trained(Schedule(optimizer="SGD", learning_rate=0.0)),
        trained(Schedule(optimizer=name, learning_rate=None)),
    )
    for before, after in zip(start.parameters(), end.parameters(), strict=True):
        assert after.isfinite().all()
        assert not torch.equal(before, after)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Adam", {}),
        ("AdamW", {"weight_decay": 0.1}),
        ("SGD", {}),
        ("SGD", {"momentum": 0.9, "nesterov": True}),
    ],
)
def test_fused_kernels_compute_the_same(name, options):
    fast = trained(Schedule(optimizer=name, learning_rate=0.01, optimizer_options=options))
    plain_options = {**options, "fused": False, "foreach": False}
    plain = trained(Schedule(optimizer=name, learning_rate=0.01, optimizer_options=plain_options))
    for left, right in zip(fast.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(left, right, atol=1e-6, rtol=1e-5)


def test_fused_kernels_are_chosen_unless_the_options_decide():
    def chosen(name: str, **options: bool) -> bool | None:
        schedule = Schedule(optimizer=name, optimizer_options=options)
        fused: bool | None = (
            make_optimizer(schedule, [nn.Parameter(torch.zeros(2))]).param_groups[0].get("fused")
        )
        return fused

    assert chosen("Adam") is True
    assert chosen("Adam", fused=False) is False
    assert chosen("SGD", foreach=True) in (False, None)
    assert chosen("Adam", amsgrad=True) is True
    assert chosen("Adadelta") is None


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (Schedule(optimizer="Adma"), "no optimizer 'Adma' in torch.optim; did you mean .*'Adam'"),
        (Schedule(optimizer="sgd"), r"did you mean 'SGD'\?"),
        (Schedule(optimizer="LBFGS"), "'LBFGS' cannot train these models"),
        (Schedule(optimizer="lr_scheduler"), "no optimizer 'lr_scheduler'"),
        (
            Schedule(optimizer="SGD", optimizer_options={"momentun": 1}),
            "'SGD' has no option 'momentun'; did you mean 'momentum'",
        ),
        (Schedule(optimizer="SGD", optimizer_options={"params": 1}), "no option 'params'"),
        (
            Schedule(optimizer="SGD", optimizer_options={"momentum": -1}),
            "'SGD' refuses its options: Invalid momentum",
        ),
        (Schedule(optimizer="Adam", optimizer_options={"betas": "high"}), "'Adam' refuses"),
        (Schedule(optimizer="SGD", learning_rate=-1.0), "'SGD' cannot be made: Invalid learning"),
        (
            Schedule(optimizer="Adam", optimizer_options={"fused": True, "foreach": True}),
            "'Adam' refuses its options: `fused` and `foreach`",
        ),
    ],
)
def test_what_torch_does_not_know_is_named(schedule, message):
    with pytest.raises(SpecificationError, match=message):
        make_optimizer(schedule, [nn.Parameter(torch.zeros(2))])
