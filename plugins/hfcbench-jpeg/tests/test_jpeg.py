"""The JPEG defence as a plugin and as a module."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hfcbench_jpeg.compression import Compressed, compress
from hfcbench_jpeg.plugin import Jpeg
from PIL import Image
from torch import nn

from hfcbench.attacks.fgsm import FGSM
from hfcbench.defence_modules import set_adaptive
from hfcbench.errors import NodeError, SpecificationError
from hfcbench.plugins import load_plugins


def images(channels: int = 3) -> torch.Tensor:
    """Grey with a little noise."""
    generator = torch.Generator().manual_seed(0)
    return 0.5 + 0.1 * torch.rand(4, channels, 32, 32, generator=generator)


def high_energy(batch: torch.Tensor) -> float:
    """Spectral energy at the highest half of the vertical and horizontal frequencies."""
    spectrum = np.abs(np.fft.fftshift(np.fft.fft2(batch.numpy()), axes=(-2, -1))) ** 2
    spectrum[..., 8:24, 8:24] = 0
    return float(spectrum.sum())


def test_it_is_found_by_its_entry_point():
    plugins = load_plugins()

    assert plugins.failed == ()
    registration = plugins.registry.get("defence", "jpeg")
    assert registration.origin.distribution == "hfcbench-jpeg"
    reference = plugins.registry.resolve("defence", "jpeg", {"quality": 30})
    assert plugins.registry.create(reference) == Jpeg(quality=30)
    with pytest.raises(SpecificationError, match="less than or equal to 100"):
        plugins.registry.resolve("defence", "jpeg", {"quality": 101})


@pytest.mark.parametrize("channels", [1, 3])
def test_shape_and_range_stay_and_high_frequencies_go(channels):
    batch = images(channels)
    coarse = compress(batch, 20)

    assert coarse.shape == batch.shape
    assert 0 <= coarse.min() <= coarse.max() <= 1
    assert high_energy(coarse) < 0.5 * high_energy(batch)
    assert (compress(batch, 100) - batch).abs().mean() < (coarse - batch).abs().mean()


@pytest.mark.parametrize("channels", [1, 3])
def test_what_the_model_sees_is_what_pillow_writes_and_reads(channels, tmp_path):
    batch = images(channels)
    found = compress(batch, 30)
    for number, image in enumerate(batch):
        pixels = np.rint(image.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        path = tmp_path / f"{number}.jpg"
        Image.fromarray(pixels.squeeze()).save(path, quality=30)
        expected = np.asarray(Image.open(path), np.float32).reshape(pixels.shape) / 255
        np.testing.assert_array_equal(found[number].permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize("adaptive", [True, False])
def test_gradients_change_no_answer(adaptive):
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2)).eval()
    defended = Jpeg(quality=50).defend(model)
    set_adaptive(defended, adaptive)
    with torch.no_grad():
        without = defended(images())
    assert torch.equal(defended(images().requires_grad_()), without)


def test_attacks_that_know_no_better_find_no_gradient():
    defended = Jpeg().defend(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2)))
    set_adaptive(defended, False)
    batch, labels = images(), torch.tensor([0, 1, 0, 1])
    (found,) = FGSM().perturb(defended, batch, labels, [0.1], torch.Generator())
    assert torch.equal(found, batch)


def test_gradients_pass_straight_through():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2)).eval()
    defended = Jpeg(quality=50).defend(model)
    batch = images().requires_grad_()
    defended(batch)[:, 1].sum().backward()

    torch.testing.assert_close(
        batch.grad, model[1].weight[1].reshape(3, 32, 32).expand(4, 3, 32, 32)
    )
    assert not defended.training
    assert torch.equal(defended(images()), model(compress(images(), 50)))


def test_an_attack_on_the_defended_model_raises_its_loss():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2)).eval()
    defended = Jpeg(quality=50).defend(model)
    batch, labels = images(), torch.tensor([0, 1, 0, 1])
    (found,) = FGSM().perturb(defended, batch, labels, [0.1], torch.Generator())

    before = nn.functional.cross_entropy(defended(batch), labels)
    assert nn.functional.cross_entropy(defended(found), labels) > before


def test_the_given_model_is_left_as_it_was():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2)).train()
    defended = Jpeg().defend(model)

    assert all(part.training for part in model.modules())
    assert not any(part.training for part in defended.modules())


def test_the_best_quality_is_nearly_the_identity():
    ramp = torch.linspace(0.1, 0.9, 32)
    smooth = (ramp[:, None] + ramp[None, :]).div(2).expand(1, 3, 32, 32)
    assert (compress(smooth, 100) - smooth).abs().max() < 0.01


def test_other_channel_counts_are_refused():
    with pytest.raises(NodeError, match="1 or 3 channels, not 4"):
        Compressed(nn.Flatten(), 50)(torch.rand(1, 4, 8, 8))
