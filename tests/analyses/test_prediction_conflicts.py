"""The search of figure 2 on a model whose answers follow the mean or a checkerboard."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.analyses.prediction_conflicts import PredictionConflicts
from hfcbench.errors import SpecificationError
from hfcbench.types import ImageShape

CHECKERS = (-1.0) ** np.add.outer(np.arange(8), np.arange(8))
BRIGHT, FINE = (np.full((8, 8), 60.0), 50 * CHECKERS)


class FineFirst(torch.nn.Module):
    """Class 2 if there is a strong checkerboard, else 1 if it is bright, else 0."""

    def forward(self, images):
        fine = (images[:, 0] * torch.tensor(CHECKERS, dtype=torch.float32)).mean((1, 2)).abs()
        bright = images[:, 0].mean((1, 2))
        scores = torch.stack([torch.full_like(fine, 0.1), bright, 10 * fine], 1)
        return scores * (1 + images[:, 0, 0, 0])[:, None]


def image(bright, fine):
    return np.clip(60 + bright * BRIGHT + fine * FINE, 0, 255)[None]


IMAGES = np.stack([image(1, 0), image(1, 1), image(0, 1), image(1, 1.1), image(1, 0)])
LABELS = [1, 2, 2, 1, 0]


def measured(subject, named, **parameters):
    analysis = PredictionConflicts(cutoff=3, rescaling="none", **parameters)
    return named(analysis.measure(subject(FineFirst(), IMAGES, LABELS)))


def test_counts_of_every_kind(subject, named):
    found = measured(subject, named)
    # Checkerboards decide in the original and in the HFC; the LFC is bright. Without them the HFC
    # is empty (class 0) and the LFC decides.
    counts = {name: float(found[name].values) * 5 for name in found if found[name].axes == ()}
    assert counts == pytest.approx(
        {
            "follows-high": 3,
            "follows-low": 2,
            "follows-both": 0,
            "follows-neither": 0,
            "paper-high": 2,
            "paper-low": 1,
            "paper-neither": 0,
        }
    )
    share = found["paper-high"]
    assert share.n == 5
    assert 0 < share.low < 0.4 < share.high < 1


def test_examples_are_ranked_by_their_smallest_confidence(subject, named):
    found = measured(subject, named)
    places = found["high-positions"].values
    assert sorted(places.tolist()) == [1, 2]
    smallest = found["high-confidences"].values.min(1)
    assert (np.diff(smallest) <= 0).all()
    np.testing.assert_array_equal(found["high-examples"].values, IMAGES[places].astype(np.uint8))
    assert found["high-examples"].values.dtype == np.uint8
    np.testing.assert_array_equal(found["high-answers"].values[:, [0, 2]], 2)
    assert found["low-positions"].values.tolist() == [0]
    assert "neither-positions" not in found
    assert len(measured(subject, named, examples=1)["high-labels"].values) == 1
    assert not any(q.axes for q in measured(subject, named, examples=0).values())


def test_singular_values_instead_of_frequencies(subject, named):
    # One singular value holds mean and checkerboard alike in these images of rank two.
    found = named(
        PredictionConflicts(cutoff=1, method="svd", rescaling="none").measure(
            subject(FineFirst(), IMAGES, LABELS)
        )
    )
    total = sum(
        float(found[f"follows-{kind}"].values) for kind in ("high", "low", "both", "neither")
    )
    assert total == pytest.approx(1)


@pytest.mark.parametrize(("method", "cutoff"), [("fourier", 99), ("svd", 8), ("svd", 2.5)])
def test_cutoffs_that_leave_nothing_are_refused(method, cutoff):
    with pytest.raises(SpecificationError):
        PredictionConflicts(cutoff=cutoff, method=method).check(ImageShape(1, 8, 8))
