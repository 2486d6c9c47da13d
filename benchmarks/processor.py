"""What the processor that benchmarks run on can do."""

from __future__ import annotations

import cpuinfo

_FLAGS = cpuinfo.get_cpu_info().get("flags", ())

MULTIPLIES_BFLOAT16 = bool({"amx_bf16", "avx512_bf16"}.intersection(_FLAGS))
"""Whether it has instructions for products of bfloat16 numbers; without, they are slower than of
float32 numbers."""

TILES_OF_BFLOAT16 = "amx_bf16" in _FLAGS
"""Whether it multiplies whole tiles of them (AMX), several times faster again."""
