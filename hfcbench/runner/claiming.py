"""Working on a database beside other processes: each training is done by one of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from types import TracebackType
from typing import TYPE_CHECKING, Self

from hfcbench.errors import StoreError

if TYPE_CHECKING:
    from hfcbench.results.store import Store
    from hfcbench.results.writing.claims import Holder

_BEATS_PER_GRACE = 6


class Claims:
    """The claims of one run, kept alive by a thread; a context manager that releases them.

    Args:
        store: where they are kept.
        run_id: of the run that claims.
        grace_seconds: how long after the last sign of life others take a claim over. All processes
            that share a database must agree on it.
    """

    def __init__(self, store: Store, run_id: int, grace_seconds: float) -> None:
        self._store = store
        self._run_id = run_id
        self._grace_seconds = grace_seconds
        self._held: set[str] = set()
        self._ended = threading.Event()
        self._error: StoreError | None = None
        self._thread = threading.Thread(target=self._beat, name="claims", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._store.release_claims(self._run_id)
        # Who died between storing and releasing left a claim that nobody needs to take over.
        self._store.drop_abandoned_claims(self._grace_seconds)

    def holds(self, identity: str) -> bool:
        """Whether this run has claimed the training."""
        return identity in self._held

    def take(self, identity: str) -> Holder | None:
        """Claim a training with its evaluations; who has it, if another process does.

        Raises:
            StoreError: the database could not be told for so long that others may have taken over.
        """
        if self._error is not None:
            raise self._error
        holder = self._store.claim(identity, self._run_id, self._grace_seconds)
        if holder is None:
            self._held.add(identity)
        return holder

    def release(self, identities: Collection[str]) -> None:
        """Give up claims whose work is stored, or is left to others."""
        self._store.release_claims(self._run_id, identities)
        self._held.difference_update(identities)

    def _beat(self) -> None:
        """Renew the claims until the end; a database that is away for a moment is asked again."""
        last = time.monotonic()
        while not self._ended.wait(self._grace_seconds / _BEATS_PER_GRACE):
            try:
                self._store.renew_claims(self._run_id)
                last = time.monotonic()
            except StoreError as error:
                if time.monotonic() - last > self._grace_seconds:
                    self._error = error
                    return
