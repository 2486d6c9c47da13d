"""Kernel smoothing against a loop over weights and against scipy."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from hfcbench.defences.kernel_smoothing import KernelSmoothing
from hfcbench.defences.smoothing import smooth_kernels
from hfcbench.errors import NodeError, SpecificationError
from hfcbench.plugins import load_plugins


def by_loop(kernel: np.ndarray, rho: float) -> np.ndarray:
    """Equation 3, weight by weight; neighbours beyond the border are copies of it."""
    height, width = kernel.shape
    smoothed = np.empty_like(kernel)
    for row in range(height):
        for column in range(width):
            total = 0.0
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    if (down, right) != (0, 0):
                        y = min(max(row + down, 0), height - 1)
                        x = min(max(column + right, 0), width - 1)
                        total += kernel[y, x]
            smoothed[row, column] = kernel[row, column] + rho * total
    return smoothed


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 5), (11, 11), (3, 5)])
@pytest.mark.parametrize("rho", [0.0, 0.1, 1.0])
def test_every_weight_gains_its_neighbours(size, rho):
    weight = torch.randn(4, 3, *size, generator=torch.Generator().manual_seed(0)).double()
    smoothed = smooth_kernels(weight, rho).numpy()

    stencil = np.full((3, 3), rho)
    stencil[1, 1] = 1
    for output, inputs in enumerate(weight.numpy()):
        for channel, kernel in enumerate(inputs):
            np.testing.assert_allclose(smoothed[output, channel], by_loop(kernel, rho))
            np.testing.assert_allclose(
                smoothed[output, channel], convolve(kernel, stencil, mode="nearest")
            )


def test_a_kernel_by_hand():
    weight = torch.tensor([[[[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]])
    # The corner counts three times for itself, twice for its edge neighbours, once in the middle.
    expected = torch.tensor([[1 + 1.5, 1.0, 0.0], [1.0, 0.5, 0.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(smooth_kernels(weight, 0.5)[0, 0], expected)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (2, 5)])
def test_normalised_kernels_keep_their_sums(size):
    weight = torch.randn(4, 3, *size, generator=torch.Generator().manual_seed(0)).double()
    plain, normalised = (smooth_kernels(weight, 0.3, normalised=choice) for choice in (0, 1))
    torch.testing.assert_close(normalised.sum((2, 3)), weight.sum((2, 3)))
    torch.testing.assert_close(plain, 3.4 * normalised)


def test_only_the_first_convolution_changes_and_only_in_the_copy():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    defended = KernelSmoothing(rho=0.25).defend(model)
    images = torch.rand(2, 3, 8, 8)
    answers = [defended(images), defended(images)]

    expected = copy.deepcopy(model)
    with torch.no_grad():
        expected[0].weight.copy_(smooth_kernels(before["0.weight"], 0.25))
    for answer in answers:
        torch.testing.assert_close(answer, expected(images))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(part.training for part in model.modules())
    assert not any(part.training for part in defended.modules())


class StemDefinedLast(nn.Module):
    """Calls its convolutions in another order than it defines them; one is never called."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Conv2d(3, 4, 3)
        self.head = nn.Conv2d(4, 2, 1)
        self.stem = nn.Conv2d(3, 4, 3)

    def forward(self, images):
        return self.head(self.stem(images)).mean((2, 3))


@pytest.mark.parametrize("gradients", [torch.enable_grad, torch.inference_mode])
def test_the_first_convolution_is_the_first_that_is_called(gradients):
    model = StemDefinedLast().eval()
    defended = KernelSmoothing(rho=1.0).defend(model)
    with gradients():
        defended(torch.rand(2, 3, 8, 8))

    changed = {
        name
        for name, value in model.state_dict().items()
        if not torch.equal(value, defended.model.state_dict()[name])
    }
    assert changed == {"stem.weight"}
    torch.testing.assert_close(defended.model.stem.weight, smooth_kernels(model.stem.weight, 1.0))


class ThreeConvolutions(nn.Module):
    """Calls the second of its convolutions first, and the third twice; the fourth never."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(2, 2, 3, padding=1) for _ in range(4))

    def forward(self, images):
        for place in (1, 2, 0, 2):
            images = self.convolutions[place](images)
        return images.mean((2, 3))


@pytest.mark.parametrize(
    ("layers", "normalised", "smoothed"),
    [
        ("first", False, [1]),
        (1, True, [1]),
        (2, False, [1, 2]),
        (3, False, [0, 1, 2]),
        ("all", False, [0, 1, 2]),
        ("all", True, [0, 1, 2]),
    ],
)
def test_layers_are_counted_as_they_are_called(layers, normalised, smoothed):
    model = ThreeConvolutions().eval()
    defended = KernelSmoothing(0.5, layers, normalised).defend(model)
    images = torch.rand(3, 2, 8, 8)
    answers = [defended(images), defended(images)]

    expected = copy.deepcopy(model)
    with torch.no_grad():
        for place in smoothed:
            weight = expected.convolutions[place].weight
            weight.copy_(smooth_kernels(weight, 0.5, normalised=normalised))
    for answer in answers:
        assert torch.equal(answer, expected(images))


def test_shared_kernels_are_smoothed_once():
    model = ThreeConvolutions().eval()
    model.convolutions[2].weight = model.convolutions[1].weight
    defended = KernelSmoothing(0.5, 2).defend(model)
    defended(torch.rand(1, 2, 8, 8))

    found = defended.model.convolutions
    expected = smooth_kernels(model.convolutions[1].weight, 0.5)
    torch.testing.assert_close(found[1].weight, expected)
    torch.testing.assert_close(found[2].weight, expected)
    torch.testing.assert_close(found[0].weight, smooth_kernels(model.convolutions[0].weight, 0.5))


def test_more_layers_than_there_are_is_refused_and_changes_nothing():
    model = ThreeConvolutions().eval()
    defended = KernelSmoothing(0.5, 4).defend(model)
    for _ in range(2):
        with pytest.raises(NodeError, match="calls 3 convolutions, of which 4"):
            defended(torch.rand(1, 2, 8, 8))
    for name, value in model.state_dict().items():
        assert torch.equal(defended.model.state_dict()[name], value)


def test_a_late_parametrization_is_refused_before_anything_changes():
    model = ThreeConvolutions().eval()
    weight_norm(model.convolutions[0])
    defended = KernelSmoothing(0.5, "all").defend(model)
    with pytest.raises(NodeError, match="parametrization"):
        defended(torch.rand(1, 2, 8, 8))
    assert torch.equal(defended.model.convolutions[1].weight, model.convolutions[1].weight)
    KernelSmoothing(0.5, 2).defend(model)(torch.rand(1, 2, 8, 8))


def test_the_paper_s_defence_keeps_its_name_and_version():
    registry = load_plugins(installed=()).registry
    labels = {
        str(values): registry.resolve("defence", "kernel-smoothing", values)
        for values in ({}, {"rho": 0.1}, {"layers": "all", "normalised": True}, {"layers": 2})
    }
    assert [reference.label for reference in labels.values()] == [
        "kernel-smoothing",
        "kernel-smoothing(rho=0.1)",
        "kernel-smoothing(layers=all, normalised=true)",
        "kernel-smoothing(layers=2)",
    ]
    assert {reference.version for reference in labels.values()} == {"1"}
    for values in ({"layers": 0}, {"layers": "none"}, {"rho": -1}):
        with pytest.raises(SpecificationError):
            registry.resolve("defence", "kernel-smoothing", values)


def test_a_defended_model_that_is_defended_again_is_smoothed_twice():
    model = nn.Sequential(nn.Conv2d(1, 2, 3)).eval()
    images = torch.rand(2, 1, 8, 8)
    twice = KernelSmoothing(rho=0.5).defend(KernelSmoothing(rho=0.25).defend(model))

    expected = copy.deepcopy(model)
    with torch.no_grad():
        expected[0].weight.copy_(smooth_kernels(smooth_kernels(model[0].weight, 0.25), 0.5))
    torch.testing.assert_close(twice(images), expected(images))


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_grouped_and_depthwise_convolutions_are_smoothed(groups):
    convolution = nn.Conv2d(4, 8, 3, groups=groups, bias=False)
    images = torch.rand(2, 4, 12, 12)
    answer = KernelSmoothing(rho=0.5).defend(convolution)(images)

    kernels = convolution.weight.detach().numpy()
    smoothed = np.stack([[by_loop(kernel, 0.5) for kernel in inputs] for inputs in kernels])
    expected = nn.functional.conv2d(images, torch.from_numpy(smoothed), groups=groups)
    torch.testing.assert_close(answer, expected)


def test_a_model_without_convolution_is_refused():
    with pytest.raises(NodeError, match="needs a convolution"):
        KernelSmoothing().defend(nn.Linear(3, 2))


def test_a_model_that_calls_no_convolution_is_refused():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    model[0].unused = nn.Conv2d(1, 1, 3)
    with pytest.raises(NodeError, match="calls none"):
        KernelSmoothing().defend(model)(torch.rand(1, 1, 2, 2))


def test_kernels_that_are_computed_anew_at_each_call_are_refused():
    model = nn.Sequential(weight_norm(nn.Conv2d(3, 4, 3)))
    with pytest.raises(NodeError, match="parametrization"):
        KernelSmoothing().defend(model)(torch.rand(1, 3, 8, 8))
