"""Attacks on models without gradients end in one message that says what to do."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hfcbench.attacks.fgsm import FGSM
from hfcbench.attacks.pgd import PGD
from hfcbench.errors import NodeError


class Quantized(nn.Module):
    """Rounds its input to bytes, as integer models do; logits are integers if wanted."""

    def __init__(self, dtype):
        super().__init__()
        self.dtype = dtype

    def forward(self, images):
        bytes_ = (images * 255).round().to(torch.uint8).flatten(1)
        return bytes_[:, :2].to(self.dtype)


@pytest.mark.parametrize("attack", [FGSM(), PGD(steps=2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.int32])
def test_an_integer_model_has_no_gradient(attack, dtype):
    model = Quantized(dtype).eval()
    images, labels = torch.full((2, 1, 2, 2), 0.5), torch.tensor([0, 1])
    with pytest.raises(NodeError, match="not differentiable") as caught:
        attack.perturb(model, images, labels, [0.1], torch.Generator())
    assert "--set attacks=[]" in str(caught.value)
