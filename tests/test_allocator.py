"""Keeping freed memory: page faults counted by the system."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="glibc's allocator is on Linux only"
)

FAULTS = """
import json, resource, sys
import numpy as np
from hfcbench.allocator import keep_freed_memory

kept = len(sys.argv) > 1 and keep_freed_memory()

def step():
    # Blocks of 1 to 31 MB, as layers' outputs are.
    return [np.ones(megabytes * 2**17).sum() for megabytes in (1, 4, 16, 31)]

step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(json.dumps([kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before]))
"""


def faults(*arguments: str, **environment: str) -> tuple[bool, int]:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, *arguments],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        check=True,
        text=True,
    )
    kept, count = json.loads(done.stdout)
    return kept, count


def test_freed_blocks_are_used_again():
    kept, count = faults("keep")
    assert kept
    # A step writes 13,000 pages of 4 KB.
    assert count < 1000 < faults()[1]


@pytest.mark.parametrize(
    "name", ["GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"]
)
def test_who_sets_the_allocator_up_is_obeyed(name):
    value = "glibc.malloc.trim_threshold=131072" if name == "GLIBC_TUNABLES" else "131072"
    kept, count = faults("keep", **{name: value})
    assert not kept
    assert count > 1000
