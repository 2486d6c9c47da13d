"""Disks that are full for real, and network shares that cannot lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from hfcbench.errors import StoreError
from hfcbench.results.database import engine as engines
from hfcbench.results.opening import open_store

NO_LOCKS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

static int refuse(int command) {
    return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK;
}
#define WRAP(name) \
int name(int file, int command, ...) { \
    va_list list; va_start(list, command); void *argument = va_arg(list, void *); va_end(list); \
    if (refuse(command)) { errno = ENOLCK; return -1; } \
    int (*real)(int, int, ...) = dlsym(RTLD_NEXT, #name); \
    return real(file, command, argument); \
}
WRAP(fcntl)
WRAP(fcntl64)
"""
OPEN = """
import sys
from hfcbench.errors import StoreError
from hfcbench.results.opening import open_store
try:
    open_store(sys.argv[1], create=True, busy_timeout_seconds=2)
except StoreError as error:
    print(error)
    sys.exit(3)
"""


def test_a_file_system_that_cannot_lock(tmp_path: Path) -> None:
    """As an NFS share whose lock daemon does not run: every lock fails with ENOLCK."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs a C compiler on Linux to take the locks away")
    source, library = tmp_path / "no_locks.c", tmp_path / "no_locks.so"
    source.write_text(NO_LOCKS, encoding="utf-8")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True, timeout=60
    )
    answer = subprocess.run(
        [sys.executable, "-c", OPEN, tmp_path / "results.db"],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 3, answer.stderr
    assert "cannot lock files" in answer.stdout
    assert "another place" in answer.stdout
    assert "PostgreSQL" in answer.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root can make a small disk here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=20)


def test_a_disk_that_is_full(small_disk: Path, build: ModuleType) -> None:
    training = build.training()
    path = small_disk / "results.db"
    stored = []
    with open_store(path, create=True) as store:
        store.add_dataset(build.dataset())
        run_id = store.begin_run(build.run())
        store.add_training(training, run_id)

        def fill() -> None:
            for number in range(10_000):
                record = build.evaluation(training, procedure=str(number))
                store.add_evaluations([record], run_id)
                stored.append(record.identity)

        with pytest.raises(StoreError, match="the disk is full") as caught:
            fill()
    assert "free some space" in str(caught.value)
    assert len(stored) > 10
    with open_store(path, read_only=True) as store:
        assert store.evaluations_done(stored) == set(stored)
        assert store.query("SELECT count(*) FROM evaluations")[1] == [(len(stored),)]
        assert store.query("PRAGMA integrity_check")[1] == [("ok",)]


@pytest.mark.parametrize(
    ("kind", "mode"), [("nfs4", "delete"), ("cifs", "delete"), ("ext4", "wal")]
)
def test_network_shares_get_no_write_ahead_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, mode: str
) -> None:
    monkeypatch.setattr(engines, "file_system_of", lambda path: kind)
    path = tmp_path / "results.db"
    with open_store(path, create=True) as store, store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == mode


def test_the_file_system_of_a_path(tmp_path: Path) -> None:
    import psutil

    kinds = {part.fstype for part in psutil.disk_partitions(all=True)}
    assert engines.file_system_of(tmp_path / "results.db") in kinds
