"""planted-band: the evidence is where it is said to be, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from hfcbench.datasets.planted_band import PlantedBand
from hfcbench.errors import SpecificationError
from hfcbench.types import DataLocation


def split(dataset: PlantedBand, name: str) -> tuple[np.ndarray, np.ndarray]:
    chunks = list(dataset.read(DataLocation(), name))
    return np.concatenate([c[0] for c in chunks]), np.concatenate([c[1] for c in chunks])


def component(images: np.ndarray, radius: float, low: bool) -> np.ndarray:
    """LFC or HFC of ``(N,1,H,W)``, by the definition."""
    size = images.shape[-1]
    grid = np.arange(size) - size // 2
    inside = np.hypot(grid[:, None], grid[None, :]) < radius
    spectrum = np.fft.fftshift(np.fft.fft2(images / 255), axes=(-2, -1))
    spectrum = spectrum * (inside if low else ~inside)
    return np.fft.ifft2(np.fft.ifftshift(spectrum, axes=(-2, -1))).real


def accuracy(train: np.ndarray, labels: np.ndarray, test: np.ndarray, truth: np.ndarray) -> float:
    """Of a classifier that correlates with the class means of the training images."""
    means = np.stack([train[labels == label].mean(axis=0) for label in np.unique(labels)])
    means = (means - means.mean(axis=0)).reshape(len(means), -1)
    return float(((test.reshape(len(test), -1) @ means.T).argmax(axis=1) == truth).mean())


@pytest.mark.parametrize(("inner", "outer", "low"), [(1, 6, True), (10, 16, False)])
@pytest.mark.parametrize(("evidence", "noise"), [(0.08, 0.05), (0.1, 0.01)])
def test_evidence_is_in_one_component_only(inner, outer, low, evidence, noise):
    dataset = PlantedBand(
        inner=inner,
        outer=outer,
        train_per_class=50,
        test_per_class=30,
        evidence=evidence,
        noise=noise,
    )
    train, labels = split(dataset, "train")
    test, truth = split(dataset, "test")

    scores = {
        part: accuracy(train / 255 - 0.5, labels, component(test, 8, part), truth)
        for part in (True, False)
    }
    assert accuracy(train / 255 - 0.5, labels, test / 255 - 0.5, truth) == 1
    assert scores[low] == 1
    assert scores[not low] == pytest.approx(0.1, abs=0.06)


@pytest.mark.parametrize(("inner", "outer"), [(1, 6), (10, 16)])
def test_class_means_lie_in_the_ring(inner, outer):
    dataset = PlantedBand(inner=inner, outer=outer, train_per_class=100)
    images, labels = split(dataset, "train")
    means = np.stack([images[labels == label, 0].mean(axis=0) / 255 for label in range(10)])
    power = np.abs(np.fft.fftshift(np.fft.fft2(means - 0.5), axes=(-2, -1))) ** 2
    grid = np.arange(32) - 16
    distance = np.hypot(grid[:, None], grid[None, :])
    ring = (distance >= inner) & (distance < outer)

    # Parseval: the ring holds the evidence's variance, the rest a hundredth of the noise's.
    in_ring = power[:, ring].sum(axis=1) / 32**4
    outside = power[:, ~ring].sum(axis=1) / 32**4
    np.testing.assert_allclose(in_ring, 0.08**2, rtol=0.01)
    np.testing.assert_allclose(outside, 0.05**2 / 100, rtol=0.2)


def test_pixels_are_never_cut_and_noise_does_not_tell_the_class():
    images, labels = split(PlantedBand(evidence=0.1, noise=0.2), "train")
    assert 0.4 < np.abs(images / 255 - 0.5).max() < 0.5
    outside = component(images, 8, low=False)
    strength = np.array([outside[labels == label].std() for label in range(10)])
    assert np.ptp(strength) < 0.03 * strength.mean()
    means = [images[labels == label].mean() / 255 for label in range(10)]
    assert np.ptp(means) < 0.001


def test_a_seed_gives_the_same_images_and_splits_differ():
    dataset = PlantedBand(train_per_class=10, test_per_class=10)
    assert np.array_equal(split(dataset, "train")[0], split(dataset, "train")[0])
    assert not np.array_equal(split(dataset, "train")[0], split(dataset, "test")[0])


@pytest.mark.parametrize("outer", [2, 6])
def test_evidence_that_leaves_no_room_is_refused_with_the_most_there_is(outer):
    with pytest.raises(SpecificationError, match=r"evidence 0\.2 leaves no room") as raised:
        PlantedBand(outer=outer, evidence=0.2).prepare(DataLocation())
    most = float(str(raised.value).split("may be ")[1].split()[0])
    PlantedBand(outer=outer, evidence=most).prepare(DataLocation())
    with pytest.raises(SpecificationError):
        PlantedBand(outer=outer, evidence=most + 0.002).prepare(DataLocation())


def test_an_empty_ring_is_refused():
    with pytest.raises(SpecificationError, match="no frequency"):
        PlantedBand(inner=6, outer=5).prepare(DataLocation())
