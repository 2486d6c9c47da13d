"""FGSM and PGD of other libraries, as their users call them: every step for every image.

Importing this module imports none of them. A library that is not installed skips what asks for it.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

Call = Callable[[], Tensor]
"""Attacks the images once and returns those it ends at, ``(N,C,H,W)``."""


def torchattacks_fgsm(model: nn.Module, images: Tensor, labels: Tensor, epsilon: float) -> Call:
    attack = library("torchattacks").FGSM(copy.deepcopy(model), eps=epsilon)
    return lambda: attack(images, labels)


def torchattacks_pgd(
    model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, steps: int, share: float
) -> Call:
    attack = library("torchattacks").PGD(
        copy.deepcopy(model), eps=epsilon, alpha=share * epsilon, steps=steps, random_start=False
    )
    return lambda: attack(images, labels)


def torchattacks_bim(
    model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, step: float
) -> Call:
    attack = library("torchattacks").BIM(copy.deepcopy(model), eps=epsilon, alpha=step, steps=0)
    return lambda: attack(images, labels)


def torchattacks_mi_fgsm(
    model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, steps: int, decay: float
) -> Call:
    attack = library("torchattacks").MIFGSM(
        copy.deepcopy(model), eps=epsilon, alpha=epsilon / steps, steps=steps, decay=decay
    )
    return lambda: attack(images, labels)


def foolbox_fgsm(model: nn.Module, images: Tensor, labels: Tensor, epsilon: float) -> Call:
    return _foolbox(library("foolbox").attacks.FGSM(), model, images, labels, epsilon)


def foolbox_pgd(
    model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, steps: int, share: float
) -> Call:
    attack = library("foolbox").attacks.LinfPGD(rel_stepsize=share, steps=steps, random_start=False)
    return _foolbox(attack, model, images, labels, epsilon)


def art_pgd(
    model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, steps: int, share: float
) -> Call:
    library("art")
    from art.attacks.evasion import ProjectedGradientDescent
    from art.estimators.classification import PyTorchClassifier

    with torch.no_grad():
        classes = model(images[:1]).shape[1]
    classifier = PyTorchClassifier(
        copy.deepcopy(model),
        nn.CrossEntropyLoss(),
        tuple(images.shape[1:]),
        classes,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    attack = ProjectedGradientDescent(
        classifier,
        norm=np.inf,
        eps=epsilon,
        eps_step=share * epsilon,
        max_iter=steps,
        batch_size=len(images),
        verbose=False,
    )
    pixels, classes_of = images.numpy(), labels.numpy()
    return lambda: torch.from_numpy(attack.generate(pixels, classes_of))


def library(name: str) -> ModuleType:
    """A library, without the warning that foolbox' own imports raise."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Please import `gaussian_filter`", DeprecationWarning)
        found: ModuleType = pytest.importorskip(name, reason=f"{name} is not installed")
        return found


def _foolbox(attack: Any, model: nn.Module, images: Tensor, labels: Tensor, epsilon: float) -> Call:
    foolbox = library("foolbox")
    # Its gradients reach the weights as well, and stay there.
    attacked = foolbox.PyTorchModel(copy.deepcopy(model), bounds=(0, 1), device=images.device)
    criterion = foolbox.criteria.Misclassification(labels)
    return lambda: attack.run(attacked, images, criterion, epsilon=epsilon)
