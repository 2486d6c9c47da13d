"""Training beside the plain loop: a dataset of pictures, their transforms, and a DataLoader.

All of it is on the GPU where there is one. Both train the same network on the same images with the
same schedule, crops and mirroring, each in a process of its own. Two loader workers take the cores
that the training computes on. The floor is the network's multiplications and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import floor
import numpy as np
import plain_training
import pytest
import small_models
import torch
from apart import apart
from device import HAS_GPU, THERE
from processor import MULTIPLIES_BFLOAT16
from torch import nn

from hfcbench.datasets.photo_patches import PhotoPatches
from hfcbench.models.preact_resnet import PreactResNet32
from hfcbench.types import DataLocation, ImageShape, ImageSplit, ModelOptions

pytestmark = pytest.mark.timeout(1200)

IMAGES, ROUNDS = 2000, 5
CIFAR10 = 50_000
LEAST = 0.8
# Network, goal in float32, goal in bfloat16 on a processor that multiplies matrices of it.
NETWORKS = {
    "small CNN": (small_models.small_cnn, 1.2, 2.0),
    "ResNet-20": (small_models.resnet20, 1.2, 2.0),
    "ResNet-8": (small_models.resnet8, 1.7, 2.8),
}


@pytest.mark.benchmark(group="training")
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name == "ResNet-8" else pytest.mark.long) for name in NETWORKS],
)
def test_an_epoch(benchmark, compare, name):
    network, goal, goal_in_bfloat16 = NETWORKS[name]
    split = plain_training.images(IMAGES)
    setups = {
        "hfcbench": partial(plain_training.ours, network, split, 1),
        "plain loop": partial(plain_training.plain, network, split, 1, 0),
        "plain loop, 2 workers": partial(plain_training.plain, network, split, 1, 2),
        "hfcbench in bfloat16": partial(plain_training.ours, network, split, 1, "bfloat16"),
        "floor: its products in float32": partial(floor.as_products, network, IMAGES),
    }
    wanted = (
        f"at most {goal / goal_in_bfloat16:.2f}"
        if MULTIPLIES_BFLOAT16
        else "no goal on this processor"
    )
    goals = {
        "plain loop": f"at least {goal:g}",
        "plain loop, 2 workers": f"at least {goal:g}",
        "hfcbench in bfloat16": wanted,
    }
    with apart(setups) as contenders:
        comparison = compare(
            f"an epoch of {IMAGES:,} images of 32x32, {name}{THERE}",
            contenders,
            rounds=ROUNDS,
            goals=goals,
            scale={},
        )
        benchmark.pedantic(contenders["hfcbench"], rounds=1)
    benchmark.extra_info.update(comparison.ratios)
    comparison.expect("plain loop", at_least=LEAST * goal)
    comparison.expect("plain loop, 2 workers", at_least=LEAST * goal)


@pytest.mark.long
@pytest.mark.skipif(not HAS_GPU, reason="a whole training of the paper's size needs a GPU")
@pytest.mark.benchmark(group="training")
def test_the_papers_vanilla_training(benchmark, compare, show):
    """The reference network, 50,000 images, batches of 100: an epoch, and 100 of them."""
    split = plain_training.images(CIFAR10)
    setups = {
        "hfcbench": partial(plain_training.ours, reference_network, split, 1),
        "plain loop, 2 workers": partial(plain_training.plain, reference_network, split, 1, 2),
        "hfcbench in bfloat16": partial(
            plain_training.ours, reference_network, split, 1, "bfloat16"
        ),
        "floor: its products in float32": partial(floor.as_products, reference_network, CIFAR10),
    }
    with apart(setups) as contenders:
        comparison = compare(
            f"an epoch of {CIFAR10:,} images of 32x32, the paper's ResNet{THERE}",
            contenders,
            rounds=ROUNDS,
            goals={"plain loop, 2 workers": "at least 10"},
            scale={},
        )
        benchmark.pedantic(contenders["hfcbench"], rounds=1)
    show(
        f"100 epochs of {CIFAR10:,} images of 32x32, the paper's ResNet{THERE}",
        {name: 100 * comparison.seconds[name] for name in ("hfcbench", "hfcbench in bfloat16")},
        "s",
        {"hfcbench": "at most 60"},
    )


@pytest.mark.benchmark(group="training")
def test_the_data_path_alone(benchmark, compare):
    split = plain_training.images(IMAGES)
    setups = {
        "hfcbench": partial(plain_training.our_data, split),
        "DataLoader": partial(plain_training.plain_data, split, 0),
        "DataLoader, 2 workers": partial(plain_training.plain_data, split, 2),
    }
    with apart(setups) as contenders:
        comparison = compare(
            f"an epoch's batches of {IMAGES:,} images of 32x32, cropped and mirrored, no model"
            f"{THERE}",
            contenders,
            rounds=ROUNDS,
            goals={"DataLoader": "at least 12", "DataLoader, 2 workers": "at least 12"},
            scale={},
        )
        benchmark.pedantic(contenders["hfcbench"], rounds=1)
    comparison.expect("DataLoader", at_least=LEAST * 12)


@pytest.mark.long
@pytest.mark.benchmark(group="training")
def test_the_same_accuracy_after_the_same_epochs(benchmark, show, monkeypatch):
    """Their random numbers differ, so their weights do: means over three seeds are compared."""
    monkeypatch.setattr(plain_training, "RATE", 0.01)
    train, test = parted_photographs()
    network, epochs, seeds = small_models.small_cnn, 8, range(3)
    runs = {
        "hfcbench": partial(plain_training.ours, network, train, epochs),
        "plain loop": partial(plain_training.plain, network, train, epochs, 0),
        "hfcbench in bfloat16": partial(
            plain_training.ours, network, train, epochs, precision="bfloat16"
        ),
    }
    found = {name: [accuracy(run(seed=seed), test) for seed in seeds] for name, run in runs.items()}
    benchmark.pedantic(plain_training.ours(network, train, 1), rounds=1)
    show(
        f"accuracy after {epochs} epochs of photo-patches, small CNN, mean of three seeds",
        {name: float(np.mean(values)) for name, values in found.items()},
        "of held-out images",
        {},
    )
    show(
        "its standard deviation over the seeds",
        {name: float(np.std(values, ddof=1)) for name, values in found.items()},
        "of held-out images",
        {},
    )
    means = {name: np.mean(values) for name, values in found.items()}
    assert means["plain loop"] > 0.7
    # Two standard errors of a difference between three seeds each.
    for name in ("hfcbench", "hfcbench in bfloat16"):
        assert abs(means[name] - means["plain loop"]) < 0.08


def reference_network() -> nn.Module:
    return PreactResNet32().build(ImageShape(3, 32, 32), 10, ModelOptions())


def parted_photographs() -> tuple[ImageSplit, ImageSplit]:
    """3,000 patches to train on and 1,000 of the same photographs."""
    chunks = list(PhotoPatches().read(DataLocation(), "train"))
    images, labels = (np.concatenate(arrays) for arrays in zip(*chunks, strict=True))
    train, test = np.split(np.random.default_rng(0).permutation(len(labels)), [3000])
    return ImageSplit(images[train], labels[train]), ImageSplit(images[test], labels[test])


def accuracy(run: Callable[[], nn.Module], split: ImageSplit) -> float:
    """With the statistics of the images in question: those that BatchNorm remembers of the last
    steps differ more between seeds than anything that is compared here."""
    model = run().cpu().train()
    with torch.no_grad():
        found = model(torch.from_numpy(split.images).float() / 255).argmax(1)
    return float((found.numpy() == split.labels).mean())
