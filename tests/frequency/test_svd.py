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


@pytest.mark.parametrize(("height", "width"), [(8, 8), (6, 11), (11, 6)])
@pytest.mark.parametrize("rank", [1, 3, 5, 20])
def test_gradients_are_those_of_the_factorisation(height, width, rank):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(3, 2, height, width, generator=generator)
    weights = torch.randn(images.shape, generator=generator)
    inputs = images.clone().requires_grad_()
    ((low, high),) = split_svd(inputs, [rank])
    assert torch.equal(low, split_svd(images, [rank])[0][0])
    assert torch.equal(high, split_svd(images, [rank])[0][1])

    exact = images.double().requires_grad_()
    left, values, right = torch.linalg.svd(exact, full_matrices=False)
    product = (left[..., :rank] * values[..., None, :rank]) @ right[..., :rank, :]
    for part, same in ((low, product), (high, exact - product)):
        (found,) = torch.autograd.grad((part * weights).sum(), inputs, retain_graph=True)
        (expected,) = torch.autograd.grad((same * weights).sum(), exact, retain_graph=True)
        torch.testing.assert_close(found, expected.float(), atol=3e-4, rtol=1e-3)


@pytest.mark.parametrize("rank", [1, 2, 4])
def test_gradients_are_finite_where_singular_values_are_equal(rank):
    images = torch.zeros(4, 1, 8, 8)
    images[1] = 0.5
    images[2, 0, 2:5, 3:6] = 1
    images[3, 0] = torch.eye(8)
    inputs = images.requires_grad_()
    ((low, _),) = split_svd(inputs, [rank])
    (gradient,) = torch.autograd.grad((low * torch.rand_like(low)).sum(), inputs)
    assert gradient.isfinite().all()


def test_the_gradient_of_a_flat_image_by_finite_differences():
    """All singular values but one are equal: zero."""
    image = torch.full((1, 1, 4, 4), 0.5)
    change = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    weights = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    inputs = image.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((split_svd(inputs, [1])[0][0] * weights).sum(), inputs)

    def low(step):
        matrix = (image + step * change)[0, 0].double().numpy()
        left, values, right = np.linalg.svd(matrix)
        return values[0] * np.outer(left[:, 0], right[0])

    slope = (low(1e-4) - low(-1e-4)) / 2e-4
    expected = float((slope * weights[0, 0].numpy()).sum())
    assert float((gradient * change).sum()) == pytest.approx(expected, rel=1e-3)
