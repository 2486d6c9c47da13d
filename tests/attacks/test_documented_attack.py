"""The attack that the documentation writes is one."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import nn

from hfcbench.adversarial.worst_case import worst_cases

PAGE = Path(__file__).parents[2] / "docs" / "attacks.md"


def test_the_attack_of_the_page_takes_shrinking_steps():
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    page: dict[str, object] = {}
    exec(compile(source, PAGE.name, "exec", dont_inherit=True), page)
    attack = page["Decaying"](steps=4)

    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2)).eval()
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[0.0, 0.0], [1.0, -1.0]]))
        model[1].bias.copy_(torch.tensor([9.0, 0.0]))
    images, labels = torch.full((1, 1, 1, 2), 0.5), torch.tensor([0])
    (found,) = worst_cases(attack, "decaying", model, images, labels, [0.2], torch.Generator())
    # 1 + 3/4 + 2/4 + 1/4 times epsilon would be 0.5; the ball ends at 0.2.
    torch.testing.assert_close(found.images.flatten(), torch.tensor([0.7, 0.3]))
    assert not found.broken
