"""What defended models see, and what attacks are told of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.adversarial.promises import attacked_images
from hfcbench.adversarial.worst_case import worst_cases
from hfcbench.attacks.pgd import PGD
from hfcbench.defence_modules import set_adaptive
from hfcbench.defences.bit_depth import BitDepth
from hfcbench.defences.feature_squeezing import FeatureSqueezing
from hfcbench.defences.high_pass import HighPass
from hfcbench.defences.low_pass import LowPass
from hfcbench.defences.median import Median
from hfcbench.defences.squeezing import median_filter, non_local_means, reduce_bits
from hfcbench.defences.svd_denoising import SVDDenoising
from hfcbench.errors import SpecificationError

SHAPE = (3, 12, 12)
TRANSFORMS = [
    LowPass(3),
    LowPass(4, "clip"),
    HighPass(2),
    HighPass(3, "max"),
    BitDepth(3),
    Median(2),
    Median(3),
    SVDDenoising(4),
    FeatureSqueezing(4, 2),
    FeatureSqueezing(5, 3, 0.1, 5),
]


class Flat(nn.Module):
    """Logits that are what the model sees."""

    def forward(self, images):
        return images.flatten(1)


def images(count=4):
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(0))


def seen_by(defence, batch):
    return defence.defend(Flat().eval())(batch).view(batch.shape)


def masked(batch, keep):
    """By NumPy's complex transform; ``keep`` is told the distance to DC."""
    offsets = np.arange(12) - 6
    distance = np.hypot(offsets[:, None], offsets[None, :])
    spectrum = np.fft.fftshift(np.fft.fft2(batch.double().numpy()), axes=(-2, -1))
    return np.fft.ifft2(np.fft.ifftshift(spectrum * keep(distance), axes=(-2, -1))).real


def test_low_and_high_pass_show_the_components():
    batch = images()
    low, high = masked(batch, lambda d: d < 3), masked(batch, lambda d: d >= 3)
    np.testing.assert_allclose(seen_by(LowPass(3), batch).numpy(), low, atol=1e-5)
    np.testing.assert_allclose(seen_by(HighPass(3), batch).numpy(), high, atol=1e-5)
    np.testing.assert_allclose(
        seen_by(HighPass(3, "max"), batch).numpy(),
        high / high.max((1, 2, 3), keepdims=True),
        atol=1e-4,
    )


def test_svd_denoising_keeps_the_leading_singular_values():
    batch = images()
    left, values, right = np.linalg.svd(batch.double().numpy(), full_matrices=False)
    expected = (left[..., :4] * values[..., None, :4]) @ right[..., :4, :]
    np.testing.assert_allclose(seen_by(SVDDenoising(4), batch).numpy(), expected, atol=1e-5)


def test_feature_squeezing_rounds_then_filters_then_averages():
    batch = images()
    rounded = reduce_bits(batch, 4)
    assert torch.equal(seen_by(FeatureSqueezing(4, 1), batch), rounded)
    filtered = median_filter(rounded, 2)
    assert torch.equal(seen_by(FeatureSqueezing(4, 2), batch), filtered)
    averaged = non_local_means(filtered, 0.1, 5, 3)
    assert torch.equal(seen_by(FeatureSqueezing(4, 2, 0.1, 5, 3), batch), averaged)


@pytest.mark.parametrize("defence", [LowPass(9), HighPass(9), SVDDenoising(12)])
def test_what_would_change_nothing_is_refused(defence):
    with pytest.raises(SpecificationError, match="12x12 images"):
        seen_by(defence, images())


@pytest.mark.parametrize("defence", TRANSFORMS, ids=str)
@pytest.mark.parametrize("adaptive", [True, False])
def test_gradients_change_no_answer(defence, adaptive):
    defended = defence.defend(Flat().eval())
    set_adaptive(defended, adaptive)
    batch = images()
    with torch.inference_mode():
        without = defended(batch)
    channels_last = batch.contiguous(memory_format=torch.channels_last)

    assert torch.equal(defended(batch.clone().requires_grad_()), without)
    torch.testing.assert_close(defended(channels_last), without, atol=1e-6, rtol=0)


@pytest.mark.parametrize("defence", TRANSFORMS, ids=str)
def test_the_given_model_is_left_as_it_was(defence):
    model = nn.Sequential(nn.Flatten(), nn.Linear(432, 2)).train()
    before = model[1].weight.clone()
    defended = defence.defend(model)
    with torch.no_grad():
        for parameter in defended.parameters():
            parameter.zero_()

    assert all(part.training for part in model.modules())
    assert not any(part.training for part in defended.modules())
    assert torch.equal(model[1].weight, before)


def gradient_of_seen(defence, weights, adaptive=True):
    """The gradient of ``sum(weights * seen)``."""
    defended = defence.defend(Flat().eval())
    set_adaptive(defended, adaptive)
    batch = images().requires_grad_()
    (found,) = torch.autograd.grad((defended(batch) * weights.flatten(1)).sum(), batch)
    return found


@pytest.mark.parametrize("adaptive", [True, False])
def test_attacks_look_through_filters_at_what_these_let_pass(adaptive):
    weights = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(1))
    low, high = masked(weights, lambda d: d < 3), masked(weights, lambda d: d >= 3)
    for defence, expected in ((LowPass(3), low), (HighPass(3), high)):
        found = gradient_of_seen(defence, weights, adaptive)
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_attacks_take_rounding_for_the_identity():
    weights = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(1))
    assert torch.equal(gradient_of_seen(BitDepth(3), weights), weights)
    assert (gradient_of_seen(BitDepth(3), weights, adaptive=False) == 0).all()
    assert (gradient_of_seen(FeatureSqueezing(4, 2), weights, adaptive=False) == 0).all()


def test_attacks_look_through_rounding_at_medians():
    weights = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(1))
    rounded = reduce_bits(images(), 4).requires_grad_()
    (expected,) = torch.autograd.grad((median_filter(rounded, 2) * weights).sum(), rounded)
    assert torch.equal(gradient_of_seen(FeatureSqueezing(4, 2), weights), expected)


def two_patterns(count=40):
    """Faint patterns on grey, and a linear model that tells them apart."""
    generator = torch.Generator().manual_seed(0)
    pattern = torch.randn(SHAPE, generator=generator).sign()
    labels = torch.arange(count) % 2
    grey = 0.5 + 0.05 * torch.randn(count, *SHAPE, generator=generator)
    batch = (grey + 0.03 * (2 * labels - 1).view(-1, 1, 1, 1) * pattern).clamp(0, 1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(pattern.numel(), 2))
    with torch.no_grad():
        model[1].weight.copy_(torch.stack([-pattern.flatten(), pattern.flatten()]) / 40)
        model[1].bias.zero_()
    return model.eval(), batch, labels


def accuracies(defended, batch, labels, epsilons):
    found = worst_cases(PGD(), "pgd", defended, batch, labels, epsilons, torch.Generator())
    return [1 - float(case.broken.float().mean()) for case in found]


def test_rounding_looks_robust_to_attacks_that_know_no_better():
    model, batch, labels = two_patterns()
    defended = BitDepth(3).defend(model)
    with torch.no_grad():
        clean = float((defended(batch).argmax(1) == labels).float().mean())
    assert clean == 1

    set_adaptive(defended, False)
    assert accuracies(defended, batch, labels, [0.05, 0.1]) == [1, 1]
    set_adaptive(defended, True)
    assert accuracies(defended, batch, labels, [0.05, 0.1])[-1] == 0
    assert accuracies(model, batch, labels, [0.1]) == [0]


@pytest.mark.parametrize("defence", TRANSFORMS, ids=str)
@pytest.mark.parametrize("adaptive", [True, False])
def test_attacks_can_be_carried_out(defence, adaptive):
    model, batch, labels = two_patterns(8)
    # Flat areas have equal singular values and equal neighbours.
    flat = torch.full((1, *SHAPE), 0.5)
    batch, labels = torch.cat([batch, flat]), torch.cat([labels, labels[:1]])
    defended = defence.defend(model)
    set_adaptive(defended, adaptive)
    (found,) = attacked_images(
        PGD(steps=2), "pgd", defended, batch, labels, [0.1], torch.Generator()
    )
    moved = (found != batch).any()
    assert moved == (adaptive or not isinstance(defence, BitDepth | FeatureSqueezing))
