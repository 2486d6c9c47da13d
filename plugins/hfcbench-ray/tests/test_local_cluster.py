"""The cluster that is started here: quiet, unreachable from outside, gone at the end."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from ipaddress import ip_address

import psutil
import pytest
from ray_stand_ins import SUITE

pytest.importorskip("ray", reason="Ray is not installed")


def listening(processes):
    for process in processes:
        for connection in process.net_connections(kind="inet"):
            if connection.status == psutil.CONN_LISTEN:
                yield connection.laddr.ip


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_run_of_its_own_is_interrupted_cleanly(tmp_path, cache):
    (tmp_path / "tiny.yaml").write_text(SUITE, encoding="utf-8")
    command = [sys.executable, "-m", "hfcbench", "run", "--suite", "tiny.yaml", "--device", "cpu"]
    process = subprocess.Popen(
        [*command, "--cache-dir", str(cache), "--executor", "ray(retries=0)"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    # Ray itself says nothing.
    assert process.stdout.readline().startswith("[1/4] train")
    started = psutil.Process(process.pid).children(recursive=True)
    addresses = list(listening(started))
    assert addresses
    assert all(ip_address(text.removeprefix("::ffff:")).is_loopback for text in addresses)

    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert "interrupted; the same command goes on from here" in output
    assert "Traceback" not in output
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []
    connection = sqlite3.connect(tmp_path / "results.db")
    assert connection.execute("select status from runs").fetchall() == [("interrupted",)]
    assert connection.execute("select count(*) from trainings").fetchone()[0] >= 1
    connection.close()
