"""What cannot be attacked is said before anything is trained."""

from __future__ import annotations

import io
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console
from torch import nn

from hfcbench import hookimpl
from hfcbench.errors import SpecificationError
from hfcbench.plugins import load_plugins
from hfcbench.runner.session import Session, Settings
from hfcbench.types import DataLocation

SUITE = """
title: Attacked
datasets: [planted-band]
samples: {train: 20, test: 10}
schedule: {epochs: 1, batch_size: 10}
attacks: [ATTACK]
epsilons: [0.03]
blocks:
  - models: [lenet5]
    defences: [none, DEFENCE]
"""


class Behind(nn.Module):
    def __init__(self, model: nn.Module, change) -> None:
        super().__init__()
        self.model, self.change = model, change

    def forward(self, images):
        return self.model(self.change(images))


@dataclass(frozen=True)
class Detached:
    def defend(self, model):
        return Behind(model, torch.Tensor.detach).requires_grad_(False).eval()


@dataclass(frozen=True)
class Rounded:
    def defend(self, model):
        return Behind(model, lambda images: (images * 255).to(torch.uint8).float() / 255).eval()


@dataclass(frozen=True)
class InTraining:
    def defend(self, model):
        return model.train()


@dataclass(frozen=True)
class Broken:
    def defend(self, model):
        raise RuntimeError("no such layer")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def run(folder, cache, defence: str, attack: str = "fgsm"):
    def register(register):
        for factory in (Detached, Rounded, InTraining, Broken):
            register(factory.__name__.lower(), factory, version="1")

    plugin = SimpleNamespace(hfcbench_register_defences=hookimpl(register))
    path = folder / "suite.yaml"
    text = SUITE.replace("DEFENCE", defence).replace("ATTACK", attack)
    path.write_text(text, encoding="utf-8")
    settings = Settings(str(folder / "results.db"), DataLocation(), cache, device="cpu")
    session = Session(load_plugins({"defences": plugin}, installed=()), settings)
    return session.run(session.plan(str(path)), Console(file=io.StringIO()))


@pytest.mark.parametrize(
    ("defence", "message"),
    [
        ("detached", "fgsm cannot attack lenet5 with defence 'detached': the model is not diff"),
        ("rounded", "with defence 'rounded': the model's answer does not depend on its input"),
        ("intraining", "with defence 'intraining': the model is in training mode"),
    ],
)
def test_what_has_no_gradient_is_refused_before_training(tmp_path, cache, defence, message):
    with pytest.raises(SpecificationError, match=message):
        run(tmp_path, cache, defence)
    assert not list(tmp_path.glob("checkpoints/**/*.safetensors"))


def test_what_a_defence_raises_fails_its_own_evaluations(tmp_path, cache):
    summary, failures = run(tmp_path, cache, "broken")
    assert summary.trained == 1
    assert {failure.error for failure in failures} == {"RuntimeError: no such layer"}
    assert summary.evaluated == 2  # clean and attacked, without the defence
