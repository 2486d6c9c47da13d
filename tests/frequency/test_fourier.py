"""The Fourier splits: agreement with the definition, and the laws that every split obeys."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hfcbench.errors import SpecificationError
from hfcbench.frequency.fourier import (
    split_bands,
    split_gaussian,
    split_radial,
    split_square,
)
from hfcbench.frequency.masks import radial_mask

SIZES = [(1, 1), (1, 6), (5, 5), (8, 8), (7, 10), (10, 7), (9, 4), (32, 32), (28, 31)]


def images(height: int, width: int, count: int = 2, channels: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(height * 100 + width)
    return torch.rand(count, channels, height, width, generator=generator)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_radial_split_is_the_papers(definition, height, width):
    batch = images(height, width)
    radii = [0, 1, 2, 2.5, 4, 5, 12, 100]
    for radius, (low, high) in zip(radii, split_radial(batch, radii), strict=True):
        expected = definition(
            batch.numpy(), lambda down, right, r=radius: float(math.hypot(down, right) < r)
        )
        np.testing.assert_allclose(low.numpy(), expected, atol=1e-5)
        np.testing.assert_allclose(high.numpy(), batch.numpy() - expected, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), SIZES[:-2])
def test_the_other_splits_are_as_defined(definition, height, width):
    batch = images(height, width)
    square = split_square(batch, [2])[0][0]
    gauss = split_gaussian(batch, [1.5])[0][0]
    ring = split_bands(batch, [(1, 3)])[0][0]
    expected = {
        "square": lambda down, right: float(max(abs(down), abs(right)) < 2),
        "gauss": lambda down, right: math.exp(-(down**2 + right**2) / (2 * 1.5**2)),
        "ring": lambda down, right: float(1 <= math.hypot(down, right) < 3),
    }
    for name, low in (("square", square), ("gauss", gauss), ("ring", ring)):
        np.testing.assert_allclose(
            low.numpy(), definition(batch.numpy(), expected[name]), atol=1e-5
        )


shapes = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 40), st.integers(1, 40))


@settings(max_examples=60, deadline=None)
@given(shape=shapes, radius=st.floats(0, 60), seed=st.integers(0, 99))
def test_the_parts_add_up_to_the_image(shape, radius, seed):
    batch = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    ((low, high),) = split_radial(batch, [radius])
    assert low.dtype == high.dtype == torch.float32
    torch.testing.assert_close(low + high, batch, atol=1e-5, rtol=0)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    radii=st.tuples(st.floats(0, 60), st.floats(0, 60)),
)
def test_masks_nest(height, width, radii):
    smaller, larger = (radial_mask(height, width, radius) for radius in sorted(radii))
    assert not (smaller & ~larger).any()


@settings(max_examples=30, deadline=None)
@given(height=st.integers(2, 24), width=st.integers(2, 24), radius=st.floats(0, 30))
def test_splitting_a_low_part_again_changes_nothing(height, width, radius):
    batch = images(height, width)
    ((low, high),) = split_radial(batch, [radius])
    ((again, rest),) = split_radial(low, [radius])
    torch.testing.assert_close(again, low, atol=1e-5, rtol=0)
    assert rest.abs().max() < 1e-5
    assert split_radial(high, [radius])[0][0].abs().max() < 1e-5


@pytest.mark.parametrize(("height", "width"), [(8, 8), (7, 7), (6, 9)])
def test_radius_zero_keeps_nothing_and_beyond_the_corner_everything(height, width):
    batch = images(height, width)
    beyond = math.hypot(height // 2, width // 2) + 1e-9
    (nothing, all_high), (dc, _), (all_low, none_left) = split_radial(batch, [0, 1, beyond])
    assert (nothing == 0).all()
    assert torch.equal(all_high, batch)
    torch.testing.assert_close(dc, batch.mean((2, 3), keepdim=True).expand_as(batch))
    assert torch.equal(all_low, batch)
    assert (none_left == 0).all()


def test_the_radius_itself_is_not_kept():
    grid = radial_mask(32, 32, 5)
    assert not grid[16 + 3, 16 + 4]
    assert not grid[16 + 5, 16]
    assert grid[16 + 4, 16]
    assert radial_mask(32, 32, 5.0001)[16 + 3, 16 + 4]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_computed_in_float32(dtype):
    batch = images(12, 12).to(dtype)
    ((low, high),) = split_radial(batch, [4])
    ((expected, _),) = split_radial(batch.float(), [4])
    assert low.dtype == high.dtype == torch.float32
    assert torch.equal(low, expected)


def test_integers_and_wrong_shapes_are_refused():
    with pytest.raises(SpecificationError, match="floating point"):
        split_radial(torch.zeros(1, 1, 4, 4, dtype=torch.uint8), [2])
    with pytest.raises(SpecificationError, match=r"\(N,C,H,W\)"):
        split_radial(torch.zeros(4, 4), [2])
    with pytest.raises(SpecificationError, match="not -1"):
        split_radial(images(4, 4), [-1])
    with pytest.raises(SpecificationError, match="inner radius below"):
        split_bands(images(4, 4), [(3, 2)])


def test_many_radii_and_chunks_agree_with_one_at_a_time():
    batch = images(32, 32, count=300)
    together = split_radial(batch, [4, 8, 12, 16])
    for radius, (low, _) in zip((4, 8, 12, 16), together, strict=True):
        for index in (0, 170, 299):
            ((alone, _),) = split_radial(batch[index : index + 1], [radius])
            torch.testing.assert_close(low[index : index + 1], alone, atol=1e-6, rtol=0)


def test_given_outputs_are_written_to():
    batch = images(8, 8)
    outputs = [(torch.empty(2, 3, 8, 8), torch.empty(2, 3, 8, 8))]
    returned = split_radial(batch, [3], out=outputs)
    assert returned[0][0] is outputs[0][0]
    assert torch.equal(outputs[0][0], split_radial(batch, [3])[0][0])


def test_gradients_flow_to_the_kept_frequencies():
    batch = images(8, 8).requires_grad_()
    ((low, _),) = split_radial(batch, [3])
    weights = torch.rand_like(low)
    (gradient,) = torch.autograd.grad((low * weights).sum(), batch)
    # The split is a projection: its own transpose.
    torch.testing.assert_close(gradient, split_radial(weights, [3])[0][0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(8, 8), (7, 10), (1, 6), (120, 130)])
def test_gradients_change_no_value_and_belong_to_each_part(size):
    batch = images(*size)
    radii = [0, 2, 5, 200]
    expected = split_radial(batch, radii)
    inputs = batch.clone().requires_grad_()
    parts = split_radial(inputs, radii)
    weights, direction = torch.randn_like(batch), torch.randn_like(batch)
    moved = split_radial(direction, radii)
    for part, value, change in zip(
        itertools.chain(*parts), itertools.chain(*expected), itertools.chain(*moved), strict=True
    ):
        assert torch.equal(part, value)
        (gradient,) = torch.autograd.grad((part * weights).sum(), inputs, retain_graph=True)
        # The split is linear: along a direction, a part changes by that part of the direction.
        along = float((gradient * direction).double().sum())
        assert along == pytest.approx(float((weights * change).double().sum()), abs=1e-2)


def test_gradients_of_gradients_exist():
    inputs = images(6, 6).requires_grad_()
    ((low, _),) = split_radial(inputs, [2])
    (gradient,) = torch.autograd.grad(low.square().sum() / 2, inputs, create_graph=True)
    weights = torch.rand_like(gradient)
    (second,) = torch.autograd.grad((gradient * weights).sum(), inputs)
    torch.testing.assert_close(second, split_radial(weights, [2])[0][0], atol=1e-5, rtol=0)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_gpu_gives_the_same_parts():
    batch = images(32, 31, count=5)
    for (low, high), (low_gpu, high_gpu) in zip(
        split_radial(batch, [4, 9]), split_radial(batch.cuda(), [4, 9]), strict=True
    ):
        torch.testing.assert_close(low, low_gpu.cpu(), atol=1e-5, rtol=0)
        torch.testing.assert_close(high, high_gpu.cpu(), atol=1e-5, rtol=0)
