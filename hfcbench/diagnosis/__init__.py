"""What a bug report needs to know, and what is wrong with an installation."""

from hfcbench.diagnosis.checks import Check, State
from hfcbench.diagnosis.examining import Places, examine

__all__ = ["Check", "Places", "State", "examine"]
