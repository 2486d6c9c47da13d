"""What all questions to a results database share: a way to read from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from sqlalchemy import Connection


class Asking(ABC):
    """Something that can read from a results database."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Connection]:
        """A connection for reading."""
