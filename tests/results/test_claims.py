"""Claims: one process at a time, and what happens to those of the dead, the slow and the lost."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import psutil
import pytest

from hfcbench.results.opening import open_store
from hfcbench.results.store import Store
from hfcbench.results.writing import claims
from hfcbench.results.writing.claims import Claimant, this_process
from hfcbench.runner.claiming import Claims

TRAINING = "a" * 64


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Store]:
    """A store on each kind of database."""
    if request.param == "sqlite":
        url = str(tmp_path / "results.db")
    else:
        url = request.getfixturevalue("postgresql_url")
    with open_store(url, create=True) as store:
        yield store


@pytest.fixture
def runs(shared: Store, build: ModuleType) -> list[int]:
    return [shared.begin_run(build.run(host=f"host-{number}")) for number in range(2)]


def take(store: Store, claimant: Claimant, grace: float = 60.0) -> Any:
    with store._writing() as connection:
        return claims.take_claim(connection, TRAINING, claimant, grace)


def elsewhere(run_id: int) -> Claimant:
    return Claimant(run_id, "another machine", 1, 1.0)


def another_process(run_id: int) -> tuple[subprocess.Popen[bytes], Claimant]:
    """A process that waits on this machine, and what it would claim as."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = psutil.Process(process.pid).create_time()
    here = this_process(run_id)
    return process, replace(here, process_id=process.pid, process_started=started)


def test_one_at_a_time(shared: Store, runs: list[int]) -> None:
    assert take(shared, this_process(runs[0])) is None
    assert take(shared, this_process(runs[0])) is None
    holder = take(shared, elsewhere(runs[1]))
    assert holder.host == "host-0"
    assert abs((datetime.now(UTC) - holder.heartbeat_at).total_seconds()) < 60
    shared.release_claims(runs[1])
    assert take(shared, elsewhere(runs[1])) is not None
    shared.release_claims(runs[0], [TRAINING])
    assert take(shared, elsewhere(runs[1])) is None


def test_the_silent_are_taken_over_after_the_grace_period(shared: Store, runs: list[int]) -> None:
    assert take(shared, elsewhere(runs[0])) is None
    assert take(shared, this_process(runs[1]), grace=0.5) is not None
    time.sleep(0.7)
    assert take(shared, this_process(runs[1]), grace=0.5) is None
    # What the first one had is gone, and it cannot renew it.
    assert shared.renew_claims(runs[0]) == 0
    assert shared.renew_claims(runs[1]) == 1


def test_the_slow_are_not(shared: Store, runs: list[int]) -> None:
    with Claims(shared, runs[0], grace_seconds=0.9) as held:
        assert held.take(TRAINING) is None
        for _ in range(8):
            time.sleep(0.3)
            assert take(shared, elsewhere(runs[1]), grace=0.9) is not None
    assert take(shared, elsewhere(runs[1]), grace=60) is None


def test_a_process_that_died_on_this_machine_is_not_waited_for(
    shared: Store, runs: list[int]
) -> None:
    process, dead = another_process(runs[0])
    assert take(shared, dead) is None
    assert take(shared, this_process(runs[1])) is not None
    process.kill()
    process.communicate()
    assert take(shared, this_process(runs[1])) is None


def test_another_process_of_the_same_number_is_another_process(
    shared: Store, runs: list[int]
) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    here = this_process(runs[0])
    assert take(shared, replace(here, process_id=process.pid, process_started=1.0)) is None
    assert take(shared, this_process(runs[1])) is None
    process.kill()
    process.communicate()


def test_what_nobody_needs_to_take_over_goes_with_the_next_run(
    shared: Store, runs: list[int]
) -> None:
    process, other = another_process(runs[0])
    assert take(shared, other) is None

    def held() -> list[tuple[str]]:
        return shared.query("SELECT training_identity FROM claims")[1]

    with Claims(shared, runs[1], grace_seconds=60):
        pass
    assert held() == [(TRAINING,)]
    process.kill()
    process.communicate()
    with Claims(shared, runs[1], grace_seconds=60):
        pass
    assert held() == []


def test_of_another_machine_only_the_heartbeat_tells(shared: Store, runs: list[int]) -> None:
    # No such process runs here, but that says nothing about there.
    gone = replace(this_process(runs[0]), machine="there", process_id=2**22 - 1)
    assert take(shared, gone) is None
    assert take(shared, this_process(runs[1])) is not None


def test_a_database_that_is_gone_for_too_long_is_said(
    shared: Store, runs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hfcbench.errors import StoreError

    def fail(run_id: int) -> int:
        raise StoreError("the database cannot be reached")

    monkeypatch.setattr(shared, "renew_claims", fail)
    with Claims(shared, runs[0], grace_seconds=0.3) as held:
        assert held.take(TRAINING) is None
        time.sleep(1.0)
        with pytest.raises(StoreError, match="cannot be reached"):
            held.take("b" * 64)
