"""Nothing inside an epoch waits for the device: how often values are read does not grow with it."""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from hfcbench.heuristics.adversarial_training import AdversarialTraining
from hfcbench.heuristics.mixup import Mixup
from hfcbench.training import augmentation as augmenting
from hfcbench.training.loop import train
from hfcbench.types import ImageSplit, Schedule

# What copies a value to the host, or needs one there to know the shape of its result.
OPERATORS = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "equal", "is_nonzero")
# Copies of whole tensors, which are no operators where the device is the host.
METHODS = (torch.Tensor.tolist, torch.Tensor.numpy, torch.Tensor.cpu)


class Operators(TorchDispatchMode):
    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        if operator.overloadpacket.__name__ in OPERATORS:
            self.seen()
        return operator(*args, **(kwargs or {}))


class Methods(TorchFunctionMode):
    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in METHODS:
            self.seen()
        return function(*args, **(kwargs or {}))


class Normalised:
    def check(self, shape, classes, options):
        pass

    def build(self, shape, classes, options):
        layers = (nn.Conv2d(shape.channels, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.1))
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16, classes))


def reads(job):
    """How often each line of the training waits for values."""
    lines = Counter()

    def seen():
        frames = (f for f in traceback.extract_stack() if "hfcbench/" in f.filename)
        *_, last = (f for f in frames if f.filename != __file__)
        lines[f"{last.filename}:{last.lineno}"] += 1

    with Methods(seen), Operators(seen):
        train(job)
    return lines


# Mixup draws its weight on the host. Adversarial training looks whether images are in [0,1] before
# it pauses the training, and its attack does before its first step.
PER_BATCH = {(): 0, (Mixup(),): 1, (AdversarialTraining(steps=2),): 2}


@pytest.mark.parametrize("augmentation", ["none", "flip", "crop-flip"])
@pytest.mark.parametrize("heuristics", PER_BATCH, ids=["vanilla", "mixup", "adversarial"])
def test_longer_epochs_read_no_more(job, augmentation, heuristics, monkeypatch):
    # As on a GPU; on a CPU, pixels and places are there already.
    monkeypatch.setattr(augmenting, "cut_one_by_one", augmenting.cut_all_at_once)
    schedule = Schedule(epochs=1, batch_size=20, augmentation=augmentation)
    job = replace(job, model=Normalised(), schedule=schedule, heuristics=heuristics)
    short, long = (
        reads(replace(job, train=ImageSplit(job.train.images[:count], job.train.labels[:count])))
        for count in (20, 60)
    )
    assert (long - short).total() == 2 * PER_BATCH[heuristics], long
    # The loss and the weights, once an epoch: the test sees what is read.
    assert short.total() >= 2
