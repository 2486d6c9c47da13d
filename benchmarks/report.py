"""What all benchmarks found, for people (docs/benchmarks.md) and for later runs (report.json)."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cpuinfo
import torch
from comparison import Comparison, Figures

Finding = Comparison | Figures

_JSON = Path(__file__).with_name("report.json")
_PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

Written by `make bench`, not by hand. Contenders of a table were timed in turn in one run, ours
first; times are medians, and a ratio says how many times longer a contender takes than ours. Goals
are of these ratios unless they name a unit. `benchmarks/` holds the code, and what each contender
is.
"""
_COLUMNS = "| contender | seen | goal |\n| --- | --- | --- |\n"


def write(findings: Sequence[Finding], titles_of_short: Iterable[str]) -> None:
    """Replace the page and the record of the last whole run."""
    short = set(titles_of_short)
    parts = [_HEAD, f"On {machine()}.\n"]
    for finding in findings:
        rows = "".join(f"| {' | '.join(row)} |\n" for row in finding.rows())
        parts.append(f"## {finding.title}\n\n{_COLUMNS}{rows}")
    _PAGE.write_text("\n".join(parts), encoding="utf-8")
    record = {
        finding.title: {**finding.record(), "short": finding.title in short} for finding in findings
    }
    _JSON.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def committed() -> dict[str, dict[str, Any]]:
    """What the last whole run recorded, by title."""
    found: dict[str, dict[str, Any]] = json.loads(_JSON.read_text(encoding="utf-8"))
    return found


def machine() -> str:
    """What ran them, in words."""
    processor = cpuinfo.get_cpu_info().get("brand_raw", platform.machine())
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ", no GPU"
    return (
        f"{os.cpu_count()} cores of {processor}{gpu}, Python {platform.python_version()}, "
        f"torch {torch.__version__.partition('+')[0]}"
    )
