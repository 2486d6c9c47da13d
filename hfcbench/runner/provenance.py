"""Who computed a result: versions, machine, source revision and command of one run."""

from __future__ import annotations

import platform
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from hfcbench.plugins import LoadedPlugin
from hfcbench.results.records import PluginRecord, RunRecord
from hfcbench.version import __version__


def describe_run(suite: str, device: str, plugins: Iterable[LoadedPlugin]) -> RunRecord:
    """The record of a run that starts now."""
    revision, dirty = _source_revision()
    return RunRecord(
        started_at=datetime.now(UTC),
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        suite=suite,
        hfcbench_version=__version__,
        python_version=platform.python_version(),
        torch_version=version("torch"),
        cuda_version=_cuda_version(device),
        git_revision=revision,
        git_dirty=dirty,
        host=socket.gethostname(),
        platform=platform.platform(),
        device=device,
        plugins=sorted(
            {
                PluginRecord(
                    plugin.origin.plugin, plugin.origin.distribution, plugin.origin.version
                )
                for plugin in plugins
            },
            key=lambda record: (record.distribution, record.name),
        ),
    )


def _cuda_version(device: str) -> str | None:
    if not device.startswith("cuda"):
        return None
    import torch

    cuda: str | None = torch.version.cuda
    return cuda


def _source_revision() -> tuple[str | None, bool | None]:
    """The git revision that hfcbench itself runs from; (None, None) for an installed package."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None, None
    try:
        revision = _git(root, "rev-parse", "HEAD")
        dirty = bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        # No git program, or a repository without a commit: the revision is not known.
        return None, None
    return revision, dirty


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()
