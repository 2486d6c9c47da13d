"""The attacks, declared to hfcbench."""

from __future__ import annotations

from hfcbench import hookimpl
from hfcbench.attack_types import Attack
from hfcbench.hookspecs import Register
from hfcbench_torchattacks.apgd import APGDCE, APGDDLR, APGDTargeted
from hfcbench_torchattacks.autoattack import AutoAttack
from hfcbench_torchattacks.fab import FAB
from hfcbench_torchattacks.l2_attacks import L2_ATTACKS
from hfcbench_torchattacks.linf_attacks import LINF_ATTACKS
from hfcbench_torchattacks.square import Square
from hfcbench_torchattacks.transfer_attacks import TRANSFER_ATTACKS
from hfcbench_torchattacks.unbounded_attacks import UNBOUNDED_ATTACKS


@hookimpl
def hfcbench_register_attacks(register: Register[Attack]) -> None:
    register("apgd-ce", APGDCE, version="1")
    register("apgd-dlr", APGDDLR, version="1")
    register("apgd-targeted", APGDTargeted, version="1")
    register("autoattack", AutoAttack, version="1")
    register("fab", FAB, version="1")
    register("square", Square, version="1")
    for attack in (*LINF_ATTACKS, *L2_ATTACKS, *TRANSFER_ATTACKS, *UNBOUNDED_ATTACKS):
        register(f"torchattacks-{attack.__name__.lower()}", attack, version="1")
