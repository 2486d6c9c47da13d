"""Our images are those of foolbox and torchattacks where all three do the same.

Rounding differs: others add a change to the image again after each step, which may flip the sign
of a gradient near zero, and with it a pixel.
"""

from __future__ import annotations

import numpy as np
import peers
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hfcbench.adversarial.climbing import climb_fully
from hfcbench.adversarial.fast_model import FastModel
from hfcbench.attack_types import Attack
from hfcbench.attacks.bim import BIM
from hfcbench.attacks.fgsm import FGSM
from hfcbench.attacks.mi_fgsm import MIFGSM
from hfcbench.attacks.pgd import PGD
from hfcbench.datasets.photo_patches import PhotoPatches

# Losses are summed here and averaged elsewhere, which a power of two does not round.
IMAGES = 256
EPSILON = 0.02
ROUNDING = 1e-6


def read(split: str, per_class: int) -> tuple[Tensor, Tensor]:
    dataset = PhotoPatches(train_per_class=per_class, test_per_class=per_class)
    chunks = list(dataset.read(None, split))
    images = np.concatenate([images for images, _ in chunks])
    return torch.from_numpy(images).float() / 255, torch.from_numpy(
        np.concatenate([labels for _, labels in chunks])
    )


def network() -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 16), (16, 32)):
        convolution = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 10))


@pytest.fixture(scope="module")
def trained() -> tuple[nn.Module, Tensor, Tensor]:
    """A network with BatchNorm after a short training, with test images and labels."""
    torch.manual_seed(0)
    images, labels = read("train", 100)
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(4):
        for batch in torch.randperm(len(images)).split(50):
            loss = F.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    images, labels = read("test", 30)
    chosen = torch.randperm(len(images))[:IMAGES]
    return model.eval(), images[chosen], labels[chosen]


def ours(attack: Attack, model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    (found,) = attack.perturb(model, images, labels, [EPSILON], torch.Generator())
    return found


def right(model: nn.Module, images: Tensor, labels: Tensor) -> int:
    with torch.no_grad():
        return int((model(images).argmax(1) == labels).sum())


FGSMS = [peers.foolbox_fgsm, peers.torchattacks_fgsm]
PGDS = [peers.foolbox_pgd, peers.torchattacks_pgd]


@pytest.mark.parametrize("peer", FGSMS, ids=lambda peer: peer.__name__)
def test_one_step_of_fgsm_is_identical(trained, peer):
    model, images, labels = trained
    theirs = peer(model, images, labels, EPSILON)()
    found = ours(FGSM(), model, images, labels)
    torch.testing.assert_close(found, theirs, rtol=0, atol=ROUNDING)
    assert right(model, found, labels) == right(model, theirs, labels)
    assert right(model, found, labels) < right(model, images, labels) - 20


@pytest.mark.parametrize("peer", PGDS, ids=lambda peer: peer.__name__)
def test_one_step_of_pgd_is_identical(trained, peer):
    model, images, labels = trained
    theirs = peer(model, images, labels, EPSILON, 1, 0.3)()
    found = ours(PGD(steps=1, step_share=0.3), model, images, labels)
    torch.testing.assert_close(found, theirs, rtol=0, atol=ROUNDING)
    assert (found != images).float().mean() > 0.9


def share_of_equal_pixels(found: Tensor, theirs: Tensor) -> float:
    return float(((found - theirs).abs() <= ROUNDING).float().mean())


def equally_robust(model: nn.Module, labels: Tensor, found: Tensor, theirs: Tensor) -> bool:
    """Whether both leave the same number of right answers, which is neither none nor most."""
    robust = right(model, found, labels)
    return robust == right(model, theirs, labels) and 0.02 * IMAGES < robust < 0.5 * IMAGES


@pytest.mark.parametrize("share", [0.1, 0.25])
@pytest.mark.parametrize("peer", PGDS, ids=lambda peer: peer.__name__)
def test_twenty_steps_of_pgd_agree(trained, peer, share):
    model, images, labels = trained
    theirs = peer(model, images, labels, EPSILON, 20, share)()
    found = ours(PGD(steps=20, step_share=share), model, images, labels)
    assert share_of_equal_pixels(found, theirs) >= 0.999
    assert equally_robust(model, labels, found, theirs)


def test_the_steps_of_bim_agree(trained):
    model, images, labels = trained
    theirs = peers.torchattacks_bim(model, images, labels, EPSILON, 1 / 255)()
    # torchattacks rounds min(n + 4, 1.25 n) = 6.375 down.
    found = ours(BIM(steps=6), model, images, labels)
    assert share_of_equal_pixels(found, theirs) >= 0.999
    assert equally_robust(model, labels, found, theirs)


@pytest.mark.parametrize("decay", [0.5, 1.0])
def test_ten_steps_of_mi_fgsm_agree(trained, decay):
    model, images, labels = trained
    theirs = peers.torchattacks_mi_fgsm(model, images, labels, EPSILON, 10, decay)()
    found = ours(MIFGSM(10, decay), model, images, labels)
    assert share_of_equal_pixels(found, theirs) >= 0.999
    assert equally_robust(model, labels, found, theirs)


@pytest.mark.parametrize("peer", PGDS, ids=lambda peer: peer.__name__)
def test_the_fast_model_leaves_the_same_accuracy(trained, peer):
    """BatchNorm that is folded rounds otherwise, so pixels differ; the score does not."""
    model, images, labels = trained
    theirs = peer(model, images, labels, EPSILON, 20, 0.1)()
    fast = FastModel(model, images[:4])
    assert fast.folded == 2
    (found,) = climb_fully(PGD(steps=20), fast, images, labels, [EPSILON], torch.Generator())
    assert right(model, found, labels) == right(model, theirs, labels)
    assert ((found - theirs).abs() <= ROUNDING).float().mean() > 0.99
