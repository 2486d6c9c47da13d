"""The SVD split against NumPy's factorisation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.errors import SpecificationError
from hfcbench.frequency.svd import split_svd


@pytest.mark.parametrize(("height", "width"), [(8, 8), (6, 11), (11, 6)])
def test_the_leading_singular_values_are_kept(height, width):
    images = torch.rand(3, 2, height, width, generator=torch.Generator().manual_seed(0))
    ranks = [0, 1, 3, 6, 20]
    for rank, (low, high) in zip(ranks, split_svd(images, ranks), strict=True):
        left, values, right = np.linalg.svd(images.double().numpy(), full_matrices=False)
        kept = min(rank, values.shape[-1])
        expected = (left[..., :kept] * values[..., None, :kept]) @ right[..., :kept, :]
        np.testing.assert_allclose(low.numpy(), expected, atol=1e-5)
        torch.testing.assert_close(low + high, images, atol=1e-5, rtol=0)
        assert np.linalg.matrix_rank(low.numpy(), tol=1e-4).max(initial=0) <= rank


def test_ranks_are_whole_numbers():
    with pytest.raises(SpecificationError, match=r"not 1\.5"):
        split_svd(torch.rand(1, 1, 4, 4), [1.5])
