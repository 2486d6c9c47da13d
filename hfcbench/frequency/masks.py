"""Which frequencies the low part of a Fourier split keeps.

Masks are NumPy arrays ``(H,W)`` in the layout of ``fftshift(fft2(image))``: the DC term lies at
``(H // 2, W // 2)`` for odd and for even sizes, and distances to it are counted in frequency bins
(cycles per image). Importing this module does not load torch.

Deviations: the authors' code puts the centre at ``size / 2``, which for odd sizes is half a bin off
the DC term; here it is the DC term for every size. For even sizes both agree.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hfcbench.errors import SpecificationError

_INVISIBLE = 1e-12


def euclidean_distances(height: int, width: int) -> NDArray[np.float64]:
    """Euclidean distance ``(H,W)`` of every frequency to DC, in bins."""
    vertical, horizontal = _offsets(height, width)
    # The sum of squares is an exact integer, so the root is the correctly rounded distance and
    # comparing it with a radius decides the same way everywhere.
    return np.sqrt((vertical**2 + horizontal**2).astype(np.float64))


def chebyshev_distances(height: int, width: int) -> NDArray[np.float64]:
    """The larger of the vertical and horizontal distance ``(H,W)`` to DC, in bins."""
    vertical, horizontal = _offsets(height, width)
    return np.maximum(np.abs(vertical), np.abs(horizontal)).astype(np.float64)


def radial_mask(height: int, width: int, radius: float) -> NDArray[np.bool_]:
    """True ``(H,W)`` where the Euclidean distance to DC is less than ``radius`` bins.

    The comparison is strict: radius 0 keeps nothing, radius 1 keeps the DC term alone.

    Raises:
        SpecificationError: the radius is negative or not a number.

    Source: paper, section 3; strict as in the authors' code.
    """
    return euclidean_distances(height, width) < _radius(radius)


def square_mask(height: int, width: int, radius: float) -> NDArray[np.bool_]:
    """True ``(H,W)`` where the Chebyshev distance to DC is less than ``radius`` bins.

    Raises:
        SpecificationError: the radius is negative or not a number.
    """
    return chebyshev_distances(height, width) < _radius(radius)


def band_mask(height: int, width: int, inner: float, outer: float) -> NDArray[np.bool_]:
    """True ``(H,W)`` on the ring ``inner <= distance to DC < outer``, in bins.

    It is what ``radial_mask(outer)`` keeps and ``radial_mask(inner)`` does not, so that adjacent
    rings neither overlap nor leave a gap.

    Raises:
        SpecificationError: a radius is negative or not a number, or ``inner >= outer``.
    """
    if _radius(inner) >= _radius(outer):
        raise SpecificationError(
            f"a ring needs an inner radius below its outer one, not {inner:g} and {outer:g}"
        )
    distances = euclidean_distances(height, width)
    return (inner <= distances) & (distances < outer)


def gaussian_mask(height: int, width: int, sigma: float) -> NDArray[np.float64]:
    """Weights ``exp(-d^2 / (2 sigma^2))`` in [0,1], ``(H,W)``, ``d`` the Euclidean distance to DC.

    Args:
        sigma: standard deviation in bins; the weight at this distance is 0.607.

    Guarantees: the DC term has weight 1. Weights below 1e-12, far below what float32 images can
    show, are exactly 0.

    Raises:
        SpecificationError: sigma is not above 0.
    """
    if not sigma > 0:
        raise SpecificationError(f"the sigma of a Gaussian must be above 0, not {sigma:g}")
    weights = np.exp(-0.5 * (euclidean_distances(height, width) / sigma) ** 2)
    return np.where(weights < _INVISIBLE, 0.0, weights)


def _offsets(height: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Signed vertical ``(H,1)`` and horizontal ``(1,W)`` frequencies, DC at size // 2."""
    vertical = np.arange(height, dtype=np.int64) - height // 2
    horizontal = np.arange(width, dtype=np.int64) - width // 2
    return vertical[:, None], horizontal[None, :]


def _radius(radius: float) -> float:
    if not radius >= 0:
        raise SpecificationError(f"a radius is a number of at least 0, not {radius:g}")
    return radius
