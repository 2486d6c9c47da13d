"""Which images stand for a whole split."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def chosen_images(size: int, count: int | None) -> NDArray[np.int64]:
    """The same random ``count`` positions of a split of ``size`` images at every call.

    Fewer images are always among more of the same split, so that evaluations on different numbers
    of them can be paired.

    Returns:
        Positions ``(count,)`` in ascending order; all of them where ``count`` is None or too large.
    """
    import numpy as np

    if count is None or count >= size:
        return np.arange(size)
    return np.sort(np.random.default_rng(0).permutation(size)[:count])
