"""Certificates of a linear model, whose true radii are distances to a hyperplane."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from hfcbench.analyses.certificates import ABSTAINED, certify, lower_bounds
from hfcbench.analyses.certified_accuracy import CertifiedAccuracy
from hfcbench.defences.randomised_smoothing import RandomisedSmoothing
from hfcbench.errors import NodeError

SIGMA = 0.25


class Brighter(torch.nn.Module):
    """Class 1 where a 4x4 image is brighter than grey; its weights have length 1."""

    def forward(self, images):
        z = (images - 0.5).flatten(1).sum(1) / 4
        return torch.stack([-z, z], 1)


def grey_images(*distances):
    """Images of one value each, at signed distances from the hyperplane, and the true distances."""
    pixels = np.rint(255 * (0.5 + np.array(distances) / 4)).astype(np.uint8)
    images = np.broadcast_to(pixels[:, None, None, None], (len(pixels), 1, 4, 4))
    return images, 4 * (pixels / 255 - 0.5)


def test_certified_radii_stay_below_the_distance_and_come_close(subject):
    images, distances = grey_images(0.02, 0.1, -0.2, 0.3, -0.4, 0.5, 0.6)
    seen = subject(Brighter(), images, np.zeros(7))
    classes, radii = certify(seen, SIGMA, 2000, 20_000, 0.001)

    np.testing.assert_array_equal(classes, distances > 0)
    assert (radii < abs(distances)).all()
    np.testing.assert_allclose(radii, abs(distances), atol=0.03)


def test_accuracy_at_each_radius_by_hand(subject, named):
    # Right at 0.1, 0.2 and 0.3; wrong at 0.45; nothing to tell at 0.002.
    images, distances = grey_images(0.1, -0.2, 0.3, -0.45, 0.002)
    seen = subject(Brighter(), images, [1, 0, 1, 1, 1])
    radii = [0.0, 0.05, 0.15, 0.25, 0.4]
    found = named(CertifiedAccuracy(SIGMA, n=4000, radii=radii).measure(seen))

    curve = found["certified-accuracy"]
    np.testing.assert_allclose(curve.values, [3 / 5, 3 / 5, 2 / 5, 1 / 5, 0])
    low, high = proportion_confint([3, 3, 2, 1, 0], 5, method="wilson")
    np.testing.assert_allclose((curve.low, curve.high), (low, high))
    assert curve.axes[0].values == tuple(radii)
    assert curve.n == 5
    assert float(found["abstentions"].values) == pytest.approx(1 / 5)
    mean = found["mean-certified-radius"]
    assert float(mean.values) == pytest.approx(sum(abs(distances[:3])) / 5, abs=0.02)
    assert mean.low < mean.values < mean.high


def test_no_radius_is_beyond_what_so_many_draws_can_tell(subject):
    images, _ = grey_images(2.0)
    _, radii = certify(subject(Brighter(), images, [1]), SIGMA, 10, 500, 0.01)
    # All draws agree: the bound is the alpha for which that happens once in a hundred times.
    assert radii[0] == pytest.approx(SIGMA * stats.norm.ppf(0.01 ** (1 / 500)))


def test_claims_are_wrong_no_more_often_than_alpha(subject):
    alpha, count = 0.1, 400
    images, distances = grey_images(*[0.1] * count)
    seen = subject(Brighter(), images, np.ones(count))
    classes, radii = certify(seen, SIGMA, 20, 100, alpha)
    too_far = int((radii[classes != ABSTAINED] > distances[0]).sum())
    assert 0 < too_far <= stats.binom.ppf(0.9999, count, alpha)


@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.3])
def test_bounds_cover_every_probability(alpha):
    n = 60
    counts = np.arange(n + 1)
    bounds = lower_bounds(counts, n, alpha)
    for probability in np.linspace(0, 1, 501):
        exceeds = stats.binom.pmf(counts, n, probability)[bounds > probability].sum()
        assert exceeds <= alpha + 1e-12
    # No bound could be higher: at the bound itself the chance is alpha.
    for count in (1, 30, 60):
        chance = stats.binom.sf(count - 1, n, bounds[count])
        assert chance == pytest.approx(alpha)
    two_sided, _ = proportion_confint(counts, n, alpha=2 * alpha, method="beta")
    np.testing.assert_allclose(bounds, two_sided)


def test_the_same_seed_gives_the_same_numbers_and_another_others(subject):
    images, _ = grey_images(0.05, 0.1, 0.15, -0.2)
    runs = [
        certify(subject(Brighter(), images, np.zeros(4), seed=seed), SIGMA, 20, 300, 0.01)
        for seed in (1, 1, 2)
    ]
    torch.rand(1)
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[0][1] != runs[2][1]).any()


def test_answers_that_are_no_numbers_are_nobodys_votes(subject):
    class Silent(torch.nn.Module):
        def forward(self, images):
            return torch.full((len(images), 3), torch.nan)

    images, _ = grey_images(0.3, 0.3)
    classes, radii = certify(subject(Silent(), images, [0, 1]), SIGMA, 10, 50, 0.01)
    assert (classes == ABSTAINED).all()
    assert (radii == 0).all()


def test_a_model_that_is_smoothed_already_is_refused(subject):
    images, _ = grey_images(0.3)
    smoothed = RandomisedSmoothing().defend(Brighter())
    with pytest.raises(NodeError, match="random already") as error:
        CertifiedAccuracy().measure(subject(smoothed, images, [1]))
    assert "undefended" in str(error.value.hint)
