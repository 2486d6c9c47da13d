"""What benchmarks found, for people (docs/benchmarks.md) and later runs (bench_report.json)."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from comparison import Comparison, Figures

Finding = Comparison | Figures

_JSON = Path(__file__).with_name("bench_report.json")
_PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

Written by `make bench`, not by hand. Contenders of a table were timed in turn in one run, ours
first; times are medians, and a ratio says how many times longer a contender takes than ours. Goals
are of these ratios unless they name a unit. `benchmarks/` holds the code, and what each contender
is.
"""
_COLUMNS = "| contender | seen | goal |\n| --- | --- | --- |\n"


def write(findings: Sequence[Finding], titles_of_short: Iterable[str]) -> None:
    """Replace what was recorded of these, and the page of everything recorded."""
    short = set(titles_of_short)
    record = committed()
    for finding in findings:
        record[finding.title] = {
            "machine": machine(),
            "short": finding.title in short,
            "ratios": getattr(finding, "ratios", {}),
            "rows": finding.rows(),
        }
    _JSON.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    _PAGE.write_text(_page(record), encoding="utf-8")


def _page(record: Mapping[str, Mapping[str, Any]]) -> str:
    parts = [_HEAD]
    for title, found in record.items():
        rows = "".join(f"| {' | '.join(row)} |\n" for row in found["rows"])
        parts.append(f"## {title}\n\n{found['machine']}.\n\n{_COLUMNS}{rows}")
    return "\n".join(parts)


def committed() -> dict[str, dict[str, Any]]:
    """What was recorded last, by title."""
    if not _JSON.exists():
        return {}
    found: dict[str, dict[str, Any]] = json.loads(_JSON.read_text(encoding="utf-8"))
    return found


def machine() -> str:
    """What ran them, in words."""
    # Only where a report is written: both take seconds to import.
    import cpuinfo
    import torch

    processor = cpuinfo.get_cpu_info().get("brand_raw", platform.machine())
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ", no GPU"
    return (
        f"{os.cpu_count()} cores of {processor}{gpu}, Python {platform.python_version()}, "
        f"torch {torch.__version__.partition('+')[0]}"
    )
