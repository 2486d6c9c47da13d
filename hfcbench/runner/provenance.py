"""Who computed a result: versions, machine, source revision and command of one run."""

from __future__ import annotations

import platform
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hfcbench.masking import masked
from hfcbench.plugins import LoadedPlugin
from hfcbench.results.records import PluginRecord, RunRecord
from hfcbench.runner.executor import Place
from hfcbench.version import __version__

_NUMERICAL = (
    *("torch", "torchvision", "timm", "detectron2", "numpy", "scipy"),
    *("pillow", "scikit-image", "safetensors", "pandas", "statsmodels", "sqlalchemy"),
)


def describe_run(
    suite: str, device: str, plugins: Iterable[LoadedPlugin], place: Place | None = None
) -> RunRecord:
    """The record of a run that starts now; ``place`` where tasks do not compute on ``device``."""
    device = device if place is None else place.device
    revision, dirty = _source_revision()
    return RunRecord(
        started_at=datetime.now(UTC),
        # A database's address may hold a password, and the database is for others to read.
        command=shlex.join([_program(), *map(masked, sys.argv[1:])]),
        suite=suite,
        hfcbench_version=__version__,
        python_version=platform.python_version(),
        torch_version=version("torch"),
        cuda_version=_cuda_version(device),
        driver_version=_driver_version(device),
        packages=_package_versions(),
        git_revision=revision,
        git_dirty=dirty,
        host=socket.gethostname(),
        platform=platform.platform(),
        device=device,
        device_name=_device_name(device) if place is None else place.name,
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


def _program() -> str:
    """What was called; `python -m hfcbench` is the program too."""
    name = Path(sys.argv[0]).name
    return "hfcbench" if name == "__main__.py" else name


def _cuda_version(device: str) -> str | None:
    if not device.startswith("cuda"):
        return None
    import torch

    cuda: str | None = torch.version.cuda
    return cuda


def _driver_version(device: str) -> str | None:
    """The NVIDIA driver's version, as its own tool tells it; None without a GPU or that tool."""
    if not device.startswith("cuda"):
        return None
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.partition("\n")[0].strip() or None


def _device_name(device: str) -> str | None:
    """What the maker calls the GPU, or the processor, with how many threads compute on it."""
    import torch

    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    processor = processor_name()
    threads = f"{torch.get_num_threads()} threads"
    return threads if processor is None else f"{processor}, {threads}"


def processor_name() -> str | None:
    """What the maker calls the processor, or its kind; None if the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine() or None
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine() or None


def _package_versions() -> dict[str, str]:
    """Versions of the distributions that numbers depend on, but for those that are not there."""
    versions = {}
    for name in _NUMERICAL:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


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
