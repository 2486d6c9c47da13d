"""What is further away than epsilon by rounding is moved back; what really is, is refused."""

from __future__ import annotations

import pytest
import torch
from hfcbench_torchattacks.wrapped import Wrapped
from torch import nn

from hfcbench.adversarial.ball import distances
from hfcbench.adversarial.promises import attacked_images
from hfcbench.errors import NodeError


class TooFar(Wrapped):
    """Moves every image by epsilon and a bit."""

    def __init__(self, norm, share):
        self.norm = norm
        self.share = share

    def find(self, model, images, labels, epsilon, seed):
        direction = torch.ones_like(images)
        direction /= distances(self.norm, direction).view(-1, 1, 1, 1)
        return images + epsilon * (1 + self.share) * direction


def run(attack, epsilon):
    model = nn.Sequential(nn.Flatten(), nn.Linear(48, 2)).eval()
    images = torch.full((2, 3, 4, 4), 0.25)
    (found,) = attacked_images(
        attack, "it", model, images, torch.tensor([0, 1]), [epsilon], torch.Generator()
    )
    return distances(attack.norm, found - images)


def test_rounding_beyond_epsilon_is_taken_back():
    assert (run(TooFar("l2", 4e-6), 1.5) <= 1.5 * (1 + 1e-6)).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_more_than_rounding_is_refused(norm):
    with pytest.raises(NodeError, match=r"attack 'it' at epsilon 0\.5 moved"):
        run(TooFar(norm, 1e-3), 0.5)


def test_what_hfcbench_tolerates_stays_as_it_is():
    lengths = run(TooFar("l2", 8e-7), 1.5)
    assert (lengths > 1.5).all()
