"""Mix-up: targets derived again from the images, weights against the Beta distribution."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from scipy import stats
from torch import nn

from hfcbench.errors import SpecificationError
from hfcbench.heuristics.batch_size import BatchSize
from hfcbench.heuristics.mixup import Mixup
from hfcbench.recipes import configured
from hfcbench.types import Batch, Schedule

COUNT = 8


def batch():
    """Images that tell where they came from: image i has 1 in pixel i only; class i."""
    identity = torch.eye(COUNT)
    return Batch(identity.reshape(COUNT, 1, 2, 4).clone(), identity.clone())


def mixed(seed=0, alpha=0.5):
    generator = torch.Generator().manual_seed(seed)
    return Mixup(alpha).transform(batch(), nn.Identity(), generator)


def weight_of(result):
    """The weight of each image's own part, read from the diagonal of the mixed images."""
    own = result.images.reshape(COUNT, COUNT).diagonal()
    return own[own < 1][0].item()


@pytest.mark.parametrize("seed", range(5))
def test_targets_are_mixed_as_the_images_are(seed):
    result = mixed(seed)
    shares = result.images.reshape(COUNT, COUNT)  # row i: how much of each image is in image i
    torch.testing.assert_close(result.targets, shares)
    torch.testing.assert_close(result.targets.sum(1), torch.ones(COUNT))
    # Each image is used once as itself and once as a partner.
    torch.testing.assert_close(shares.sum(0), torch.ones(COUNT))


@pytest.mark.parametrize("seed", range(5))
def test_one_weight_and_one_partner_per_image(seed):
    result = mixed(seed)
    weight = weight_of(result)
    for row in range(COUNT):
        values = sorted(value for value in result.targets[row].tolist() if value > 0)
        if len(values) > 1:
            assert values == pytest.approx(sorted([weight, 1 - weight]), abs=1e-6)
        else:
            assert values == pytest.approx([1.0])


def test_images_stay_in_range_and_the_batch_as_it_was():
    given = Batch(torch.rand(COUNT, 3, 4, 4), torch.eye(COUNT))
    images, targets = given.images.clone(), given.targets.clone()
    result = Mixup().transform(given, nn.Identity(), torch.Generator().manual_seed(1))
    assert 0 <= result.images.min() <= result.images.max() <= 1
    assert result.images.shape == images.shape
    assert torch.equal(given.images, images)
    assert torch.equal(given.targets, targets)


def test_a_generator_decides_the_mixture():
    torch.manual_seed(0)
    first = mixed(7)
    torch.manual_seed(1)
    assert torch.equal(first.images, mixed(7).images)
    assert not torch.equal(first.images, mixed(8).images)


def test_weights_differ_from_batch_to_batch():
    generator = torch.Generator().manual_seed(0)
    results = [Mixup().transform(batch(), nn.Identity(), generator) for _ in range(5)]
    assert len({round(weight_of(result), 6) for result in results}) == 5


@pytest.mark.parametrize("alpha", [0.5, 1.0, 4.0])
def test_weights_follow_the_beta_distribution(alpha):
    generator = torch.Generator().manual_seed(0)
    weights = [
        weight_of(Mixup(alpha).transform(batch(), nn.Identity(), generator)) for _ in range(400)
    ]
    assert stats.kstest(weights, stats.beta(alpha, alpha).cdf).pvalue > 0.001


def test_weight_by_hand_at_the_papers_alpha():
    # Beta(1/2, 1/2) is the arcsine distribution: the quantile of u is sin^2(pi u / 2).
    uniform = torch.rand((), generator=torch.Generator().manual_seed(3)).item()
    assert weight_of(mixed(3)) == pytest.approx(math.sin(math.pi * uniform / 2) ** 2, abs=1e-6)


@pytest.mark.parametrize("alpha", [1e-6, 1e6])
def test_extreme_alphas_stay_finite(alpha):
    result = mixed(0, alpha)
    assert torch.isfinite(result.images).all()


def test_a_batch_of_one_is_left():
    single = Batch(torch.rand(1, 1, 2, 2), torch.ones(1, 1))
    result = Mixup().transform(single, nn.Identity(), torch.Generator())
    torch.testing.assert_close(result.images, single.images)


@pytest.mark.parametrize(
    ("heuristics", "schedule", "decides"),
    [
        ((Mixup(),), Schedule(batch_size=1), "the schedule"),
        ((Mixup(), BatchSize(1)), Schedule(), "heuristic 'batch-size'"),
        ((BatchSize(1), Mixup()), Schedule(), "heuristic 'batch-size'"),
    ],
)
def test_batches_of_one_image_leave_nothing_to_mix(heuristics, schedule, decides):
    with pytest.raises(SpecificationError, match=f"'mixup' mixes .* and {decides} makes batches"):
        configured(schedule, heuristics)
    configured(replace(schedule, batch_size=1), (BatchSize(2), Mixup()))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_runs_where_the_images_are():
    given = Batch(batch().images.cuda(), batch().targets.cuda())
    generators = [torch.Generator("cuda").manual_seed(0) for _ in range(2)]
    first, second = (Mixup().transform(given, nn.Identity(), each) for each in generators)
    assert first.images.is_cuda
    assert torch.equal(first.images, second.images)
