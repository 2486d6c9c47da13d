"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """One line of a diagnosis.

    Attributes:
        section: what it is about, such as ``disk``.
        name: what of it, such as ``cache``.
        state: ``fail`` is what must be mended, ``warn`` what may get in the way.
        said: what was found.
        mend: a command, or else what to do; None where nothing is to be done.
    """

    section: str
    name: str
    state: State
    said: str
    mend: str | None = None
