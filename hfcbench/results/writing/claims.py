"""Claims: which process is working on a training right now, and which claims are abandoned."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from hfcbench.results.schema import Claim, Run


@dataclass(frozen=True)
class Claimant:
    """A process that claims: where it runs, and its identity among that machine's processes.

    Attributes:
        process_started: seconds since the epoch; process ids are used again.
    """

    run_id: int
    machine: str
    process_id: int
    process_started: float


@dataclass(frozen=True)
class Holder:
    """Who holds a claim that this process cannot have."""

    host: str
    heartbeat_at: datetime


def this_process(run_id: int) -> Claimant:
    """The calling process as a claimant."""
    import psutil

    process = psutil.Process()
    return Claimant(run_id, machine_name(), process.pid, process.create_time())


@cache
def machine_name() -> str:
    """A name that no two machines share, nor two containers on one machine."""
    parts = [socket.gethostname()]
    boot = Path("/proc/sys/kernel/random/boot_id")
    namespace = Path("/proc/self/ns/pid")
    try:
        # Containers may share a host name, but not the space of their process ids.
        parts += [boot.read_text(encoding="ascii").strip(), str(namespace.stat().st_ino)]
    except OSError:
        parts.append(f"{uuid.getnode():x}")
    return "/".join(parts)


def take_claim(
    connection: Connection, identity: str, claimant: Claimant, grace_seconds: float
) -> Holder | None:
    """Claim a training with its evaluations, in a write transaction; None says that it worked.

    A claim of another process is taken over when its last heartbeat is older than the grace
    period, or at once when that process ran on this machine and is gone.
    """
    row = connection.execute(
        _held_claims().where(Claim.training_identity == identity)
    ).one_or_none()
    now = _now(connection)
    if (
        row is not None
        and row.run_id != claimant.run_id
        and not _is_abandoned(row, now, grace_seconds, claimant.machine)
    ):
        return Holder(row.host, row.heartbeat_at)
    connection.execute(delete(Claim).where(Claim.training_identity == identity))
    connection.execute(
        insert(Claim).values(
            training_identity=identity,
            run_id=claimant.run_id,
            machine=claimant.machine,
            process_id=claimant.process_id,
            process_started=claimant.process_started,
            claimed_at=now,
            heartbeat_at=now,
        )
    )
    return None


def renew_claims(connection: Connection, run_id: int) -> int:
    """Give a sign of life for all claims of a run; returns how many it still has."""
    statement = update(Claim).where(Claim.run_id == run_id)
    return connection.execute(statement.values(heartbeat_at=_now(connection))).rowcount


def release_claims(
    connection: Connection, run_id: int, identities: Collection[str] | None = None
) -> None:
    """Give up claims of a run; all of them if none are named."""
    statement = delete(Claim).where(Claim.run_id == run_id)
    if identities is not None:
        statement = statement.where(Claim.training_identity.in_(list(identities)))
    connection.execute(statement)


def drop_abandoned_claims(connection: Connection, grace_seconds: float) -> None:
    """Give up what nobody will: claims of processes that died after they had stored their work."""
    now = _now(connection)
    for row in connection.execute(_held_claims()).all():
        if _is_abandoned(row, now, grace_seconds, machine_name()):
            # Unless it was renewed, or taken over, since it was read.
            same = (Claim.training_identity == row.training_identity) & (
                Claim.heartbeat_at == row.heartbeat_at
            )
            connection.execute(delete(Claim).where(same))


def _held_claims() -> Select[str, int, str, int, float, datetime, str]:
    return select(
        Claim.training_identity,
        Claim.run_id,
        Claim.machine,
        Claim.process_id,
        Claim.process_started,
        Claim.heartbeat_at,
        Run.host,
    ).join(Run, Run.run_id == Claim.run_id)


def _is_abandoned(row: Any, now: datetime, grace_seconds: float, machine: str) -> bool:
    """Whether nothing was heard of a claim for too long, or nothing can be."""
    if now - row.heartbeat_at > timedelta(seconds=grace_seconds):
        return True
    holder = Claimant(row.run_id, row.machine, row.process_id, row.process_started)
    return _is_gone(holder, machine)


def _is_gone(holder: Claimant, machine: str) -> bool:
    """Whether a claimant ran on this machine and does not any more."""
    import psutil

    if holder.machine != machine:
        return False
    if holder.process_id == os.getpid():
        return False
    try:
        started: float = psutil.Process(holder.process_id).create_time()
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
    return abs(started - holder.process_started) > 1.0


def _now(connection: Connection) -> datetime:
    """The time by the one clock that all claimants share: a server's own, or this machine's."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)
