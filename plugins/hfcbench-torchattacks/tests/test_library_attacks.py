"""Every further class of torchattacks: parameters, promises, and what it leaves as it was."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pytest
import torch
import torchattacks
from hfcbench_torchattacks.l2_attacks import L2_ATTACKS
from hfcbench_torchattacks.linf_attacks import FGSM, LINF_ATTACKS, PGD, UPGD
from hfcbench_torchattacks.plugin import hfcbench_register_attacks
from hfcbench_torchattacks.square import Square
from hfcbench_torchattacks.transfer_attacks import DIFGSM, PIFGSM, TRANSFER_ATTACKS
from hfcbench_torchattacks.unbounded_attacks import (
    EADEN,
    GN,
    JSMA,
    UNBOUNDED_ATTACKS,
    VANILA,
    DeepFool,
    Pixle,
)
from torch import nn

from hfcbench.adversarial.ball import distances
from hfcbench.adversarial.promises import attacked_images
from hfcbench.attacks import fgsm
from hfcbench.devices import seeded
from hfcbench.errors import NodeError

BOUNDED = (*LINF_ATTACKS, *L2_ATTACKS, *TRANSFER_ATTACKS)
EVERY = (*BOUNDED, *UNBOUNDED_ATTACKS)
OWN_NAMES = {"APGD", "APGDT", "FAB", "Square", "AutoAttack"}
WRAPPERS = {"MultiAttack", "LGV"}
# Those that would take minutes with their defaults.
SHORT = {
    "EADEN": {"binary_search_steps": 3, "max_iterations": 20, "initial_const": 1.0},
    "EADL1": {"binary_search_steps": 3, "max_iterations": 20, "initial_const": 1.0},
    "CW": {"c": 10.0},
    "SparseFool": {"steps": 2},
    "DeepFool": {"steps": 5},
    "Pixle": {"restarts": 3},
}


def made(kind):
    """An attack of a class, short."""
    return kind(**SHORT.get(kind.__name__, {}))


@pytest.fixture(scope="module")
def small():
    """A network that is easily fooled, with colour images."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Tanh(), nn.Flatten(),
        nn.Linear(8 * 64, 4),
    ).eval()  # fmt: skip
    with torch.no_grad():
        # No logit is negative, for the classes that are right only then.
        model[-1].bias += 20
    images = torch.rand(4, 3, 8, 8)
    return model, images, model(images).argmax(1)


def found_by(attack, case, epsilons, seed=0):
    """What hfcbench is given."""
    return attack.perturb(*case, epsilons, torch.Generator().manual_seed(seed))


def test_every_class_that_torchattacks_exports_is_declared():
    names = []
    hfcbench_register_attacks(lambda name, factory, **_: names.append((name, factory)))
    library = {kind.__name__ for name, kind in names if name.startswith("torchattacks-")}

    assert library == set(torchattacks.__all__) - OWN_NAMES - WRAPPERS
    assert len(dict(names)) == len(names)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_its_parameters_and_defaults_are_the_librarys(kind):
    theirs = {
        name: parameter.default
        for name, parameter in inspect.signature(
            getattr(torchattacks, kind.__name__).__init__
        ).parameters.items()
        if name not in ("self", "model", kind.epsilon_name)
    }
    ours = vars(kind()).copy()
    if kind in UNBOUNDED_ATTACKS:
        del ours["norm"]
    assert [field.name for field in dataclasses.fields(kind) if field.name in ours] == list(theirs)
    assert {name: _plain(value) for name, value in theirs.items()} == ours


def _plain(value):
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_it_keeps_its_promises_and_leaves_everything_as_it_was(small, kind):
    model, images, labels = small
    model.requires_grad_(True)
    model.zero_grad()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    states = (torch.get_rng_state(), np.random.get_state()[1].copy())
    attack = made(kind)
    epsilons = [0.0, 0.03, 0.1] if attack.norm == "linf" else [0.0, 0.3, 1.5]

    together = attacked_images(
        attack, "it", model, images, labels, epsilons, torch.Generator().manual_seed(1)
    )
    alone = found_by(attack, small, epsilons[2:], seed=1)

    assert torch.equal(together[0], images)
    assert torch.equal(together[2], alone[0])
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module.training for module in model.modules())


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_its_images_are_those_of_the_librarys_own_call(small, kind):
    model, images, labels = small
    attack = made(kind)
    epsilon = 0.05 if attack.norm == "linf" else 0.5
    seed = int(torch.randint(2**31, (), generator=torch.Generator().manual_seed(7)))
    parameters = vars(attack).copy()
    if kind in UNBOUNDED_ATTACKS:
        del parameters["norm"]
        epsilon = 1e3
    else:
        parameters[kind.epsilon_name] = epsilon
    state = np.random.get_state()
    with seeded(images.device, seed):
        np.random.seed(seed)
        own = getattr(torchattacks, kind.__name__)(model, **parameters)
        if kind is JSMA:
            own.set_mode_targeted_by_function(lambda _, labels: (labels + 1) % 4, quiet=True)
        reference = own(images, labels).detach()
    np.random.set_state(state)
    model.zero_grad()
    (found,) = found_by(attack, small, [epsilon], seed=7)

    # Shifted logits round differently.
    tolerance = 2e-3 if kind.positive_logits else 0
    torch.testing.assert_close(found, reference, rtol=0, atol=tolerance)
    if kind is not VANILA:
        assert not torch.equal(found, images)


def test_what_lies_further_away_than_epsilon_counts_as_not_found(small):
    model, images, labels = small
    for norm in ("linf", "l2"):
        attack = DeepFool(norm=norm)
        (far,) = found_by(attack, small, [1e3])
        assert (model(far).argmax(1) != labels).all()
        lengths = distances(norm, far - images)
        middle = lengths.sort().values[1:3].mean().item()
        (found,) = found_by(attack, small, [middle])
        near = lengths <= middle
        assert near.sum() == 2
        assert torch.equal(found[near], far[near])
        assert torch.equal(found[~near], images[~near])


def test_images_that_the_library_divided_by_zero_for_count_as_not_found(small):
    class Blind(nn.Module):
        """Answers that no change of an image moves."""

        def forward(self, images):
            return images.flatten(1)[:, :4] * 0 + torch.tensor([3.0, 2.0, 1.0, 0.0])

    model, images = Blind().eval(), small[1]
    labels = torch.zeros(4, dtype=torch.long)
    assert torchattacks.DeepFool(model)(images, labels).isnan().any()
    (found,) = DeepFool().perturb(model, images, labels, [5.0], torch.Generator())
    assert torch.equal(found, images)


def test_the_one_step_attack_is_the_built_in(small):
    epsilons = [0.01, 0.04]
    ours, built_in = found_by(FGSM(), small, epsilons), found_by(fgsm.FGSM(), small, epsilons)
    for found, reference in zip(ours, built_in, strict=True):
        torch.testing.assert_close(found, reference)
    assert FGSM.exact


def test_the_seed_decides(small):
    one, same, other = (found_by(PGD(), small, [0.05], seed)[0] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    one, same = (found_by(Square(queries=20, seed=3), small, [0.3], seed)[0] for seed in (1, 2))
    assert torch.equal(one, same)


def test_the_next_class_of_jsma_wraps_at_the_number_of_classes(small):
    model, images, _ = small
    labels = torch.full((4,), 3)
    (found,) = JSMA(gamma=0.5).perturb(model, images, labels, [1e3], torch.Generator())
    predicted = model(images).argmax(1)
    assert set(model(found).argmax(1).tolist()) <= {0, *predicted.tolist()}


@pytest.mark.parametrize("model", [nn.Flatten(), nn.Sequential()], ids=["view", "bare"])
def test_models_without_parameters_and_logits_that_are_the_images(model):
    """torchattacks asks parameters for a device, and Square writes into logits."""
    model = nn.Sequential(model, nn.Flatten()).eval()
    images = torch.rand(3, 1, 2, 2)
    before, labels = images.clone(), images.flatten(1).argmax(1)
    (found,) = Square(queries=50).perturb(model, images, labels, [0.6], torch.Generator())
    assert torch.equal(images, before)
    assert (model(found).argmax(1) != labels).any()


def gray(channels, height=8, width=8):
    return torch.rand(2, channels, height, width), torch.tensor([0, 1])


@pytest.mark.parametrize(
    ("attack", "case", "classes", "message"),
    [
        (PIFGSM(), gray(1), 4, "torchattacks.PIFGSM takes images of 3 channels, not 1"),
        (DIFGSM(), gray(3, 8, 9), 4, "torchattacks.DIFGSM takes images as wide as high"),
        (Pixle(), gray(3, 9, 8), 4, "torchattacks.Pixle takes images as wide as high"),
        (UPGD(loss="dlr"), gray(3), 2, "torchattacks.UPGD needs at least 3 classes"),
        (PGD(), (gray(3)[0] * 255, gray(3)[1]), 4, r"attacks take images in \[0,1\]"),
    ],
    ids=["colour", "square", "pixle", "classes", "range"],
)
def test_what_a_class_cannot_attack_is_refused(attack, case, classes, message):
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(classes)).eval()
    model(case[0])
    with pytest.raises(NodeError, match=message):
        attack.perturb(model, *case, [0.1], torch.Generator())


def test_models_in_training_mode_or_without_gradients_are_refused(small):
    model, images, labels = small

    class Rounded(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, images):
            return self.model((images.detach() * 4).round() / 4)

    for attack in (PGD(), EADEN(max_iterations=10)):
        with pytest.raises(NodeError, match=r"not differentiable: its torch\.float32 logits"):
            attack.perturb(Rounded().eval(), images, labels, [0.1], torch.Generator())
    Square(queries=2).perturb(Rounded().eval(), images, labels, [0.1], torch.Generator())
    assert all(parameter.requires_grad for parameter in model.parameters())
    with pytest.raises(NodeError, match="in training mode"):
        GN().perturb(nn.Dropout(), images, labels, [0.1], torch.Generator())
