"""Every stepped attack can be probed for how far to trust it, whatever its parameters are."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hfcbench.adversarial.reliability import Probe
from hfcbench.adversarial.worst_case import worst_cases
from hfcbench.attack_types import Search
from hfcbench.attacks.band_pgd import BandPGD
from hfcbench.attacks.bim import BIM
from hfcbench.attacks.mi_fgsm import MIFGSM
from hfcbench.attacks.pgd import PGD

ATTACKS = [PGD(), PGD(norm="l2"), BIM(), MIFGSM(), BandPGD(0, 4)]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_sound_attacks_on_a_sound_model_raise_no_flag(attack):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, 4)).eval()
    images = torch.rand(30, 1, 8, 8)
    with torch.no_grad():
        labels = model(images).argmax(1)
    (worst,) = worst_cases(attack, "tested", model, images, labels, [0.05], torch.Generator())
    probe = Probe(
        attack,
        "tested",
        Search("worst-case"),
        model,
        judge=model,
        images=images,
        labels=labels,
        seed=0,
        before=0,
        total=len(images),
    )
    found = (*probe.of_model(), *probe.of_epsilon(worst.images, 0.05, worst.verdicts_changed))
    checks = {check.name: check for check in found}

    # A model may withstand a part of the ball at any epsilon: no sign of a weak attack.
    assert ("full-range" in checks) == attack.covers_ball
    assert "more-steps" in checks
    assert not [name for name, check in checks.items() if check.flagged]


def test_a_retry_is_the_attack_with_other_steps_and_a_random_start():
    for attack in (*ATTACKS, BIM(steps=3)):
        retry = attack.retry(9)
        assert (retry.steps_at(0.1), retry.restarts, retry.random_start) == (9, 1, True)
        assert (type(retry), retry.norm) == (type(attack), attack.norm)
        assert attack.steps_at(0.1) != 9
