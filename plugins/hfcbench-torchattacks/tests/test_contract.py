"""The promises that every attack makes, where the library's own attacks can keep them."""

from __future__ import annotations

import hfcbench_torchattacks.plugin
import pytest

from hfcbench.testing import AttackContract

ATTACKS = {
    "apgd-ce": {"steps": 5},
    "square": {"queries": 30},
    "torchattacks-fgsm": {},
    "torchattacks-pgd": {"steps": 3},
    "torchattacks-pgdl2": {"steps": 3},
    "torchattacks-mifgsm": {"steps": 3},
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_keeps_its_contract(name):
    contract = AttackContract.of(hfcbench_torchattacks.plugin, name, **ATTACKS[name])
    # Their documentation is torchattacks'.
    contract.documented_elsewhere = True
    # Square gives back only images that it has broken.
    contract.raises_the_loss = name != "square"
    contract.check()
