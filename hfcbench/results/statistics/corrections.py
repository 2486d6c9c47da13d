"""Corrections of p values for many comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hfcbench.errors import UsageError, nearest

METHODS: Mapping[str, str | None] = {
    "holm": "holm",
    "bonferroni": "bonferroni",
    "benjamini-hochberg": "fdr_bh",
    "benjamini-yekutieli": "fdr_by",
    "none": None,
}
"""Holm (1979) and Bonferroni bound the chance of a single false alarm, the other two the expected
share of false alarms (Benjamini and Hochberg, 1995; Benjamini and Yekutieli, 2001)."""


def adjusted(p_values: Sequence[float], method: str = "holm") -> list[float]:
    """P values that can be held against one threshold however many there are.

    Args:
        p_values: in [0,1]; NaN stays NaN and does not count as a comparison.
        method: one of :data:`METHODS`.

    Raises:
        UsageError: there is no such method.
    """
    import numpy as np
    from statsmodels.stats.multitest import multipletests

    if method not in METHODS:
        raise UsageError(f"there is no correction '{method}'; {nearest(method, METHODS)}")
    values = np.asarray(p_values, dtype=np.float64)
    known = ~np.isnan(values)
    name = METHODS[method]
    if name is not None and known.any():
        values = values.copy()
        values[known] = multipletests(values[known], method=name)[1]
    return [float(value) for value in values]
