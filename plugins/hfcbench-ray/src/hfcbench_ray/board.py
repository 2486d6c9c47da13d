"""How far tasks are: workers tell a board, and the driver looks at it now and then."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

_TELL_SECONDS = 1.0


@dataclass(frozen=True)
class News:
    """The latest of one task: the node it runs on, and its finished share in [0,1]."""

    node: str
    share: float


class Board:
    """Keeps the latest news of each task until they are fetched; an actor."""

    def __init__(self) -> None:
        self._news: dict[int, News] = {}

    def tell(self, number: int, news: News) -> None:
        """News of the task with that number."""
        self._news[number] = news

    def fetch(self) -> dict[int, News]:
        """What is new since the last call."""
        news, self._news = self._news, {}
        return news


@dataclass
class Reporter:
    """Tells a board of one task, at most once a second after its start."""

    board: Any
    number: int
    node: str
    _told_at: float = field(default=0.0)

    def started(self) -> None:
        """The task begins."""
        self._tell(0.0)

    def advanced(self, share: float) -> None:
        """The finished share of the task, in [0,1]."""
        if time.monotonic() - self._told_at >= _TELL_SECONDS:
            self._tell(share)

    def _tell(self, share: float) -> None:
        self._told_at = time.monotonic()
        # Nobody waits for the answer: news may get lost, results do not come this way.
        self.board.tell.remote(self.number, News(self.node, share))
