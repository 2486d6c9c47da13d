"""Parameters that several attacks share, and when they can be used."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated, TypeAlias

from annotated_types import Ge, Gt, Interval

from hfcbench.attack_types import Norm
from hfcbench.errors import SpecificationError

Count: TypeAlias = Annotated[int, Ge(1)]
Positive: TypeAlias = Annotated[float, Gt(0)]
NotNegative: TypeAlias = Annotated[float, Ge(0)]
Share: TypeAlias = Annotated[float, Interval(ge=0, le=1)]
Seed: TypeAlias = Annotated[int, Interval(ge=0, lt=2**31)]

LIBRARY_NORMS: dict[Norm, str] = {"linf": "Linf", "l2": "L2"}
"""What both libraries call the norms."""


def chosen_seed(asked: int | None, drawn: int) -> int:
    """The seed that a parameter asks for, otherwise the one that was drawn for the run."""
    return drawn if asked is None else asked


def check_authors_code(attack: str, norm: Norm) -> None:
    """Raise SpecificationError if a norm needs the authors' code and it is not installed."""
    if norm == "l2" and find_spec("pyautoattack") is None:
        raise SpecificationError(
            f"attack '{attack}' in norm l2 needs pyautoattack, the authors' code, from which "
            "torchattacks differs there",
            hint="pip install pyautoattack==0.2.0",
        )
