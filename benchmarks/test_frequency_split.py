"""The radial split beside the authors' way, the straightforward way, and a copy as the floor.

All contenders make both components at every radius, and their results are compared before they are
timed. The authors' loop is timed on a few images and scaled to all of them: its time is
proportional to their number.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from device import DEVICE, HAS_GPU, THERE, finished
from frequency_peers import authors_loop, copy, straightforward

from hfcbench.frequency.batches import allocate
from hfcbench.frequency.fourier import split_radial

CASES = {
    "10000x3x32x32": ((10_000, 3, 32, 32), (4, 8, 12, 16), 40, 5),
    "200x3x224x224": ((200, 3, 224, 224), (16, 32, 64, 112), 2, 5),
}
GOALS = {
    "10000x3x32x32": {"loop": "at least 80", "torch": "at least 10", "copy": "at least 1/6 = 0.17"},
    "200x3x224x224": {"loop": "at least 20", "torch": "at least 8"},
}
# Of the bandwidth that a copy has there.
GOALS_ON_A_GPU = {"copy": "at least 0.6"} if HAS_GPU else {}


@pytest.mark.parametrize("case", CASES)
def test_radial_split(benchmark, compare, case):
    shape, radii, loop_images, rounds = CASES[case]
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0)).to(DEVICE)
    few = images[:loop_images]
    outputs = allocate(images, len(radii))

    ours = split_radial(few, radii)
    for other in (authors_loop(few.cpu().numpy(), radii), straightforward(few, radii)):
        for (low, high), (other_low, other_high) in zip(ours, other, strict=True):
            np.testing.assert_allclose(low.cpu(), torch.as_tensor(other_low).cpu(), atol=1e-5)
            np.testing.assert_allclose(high.cpu(), torch.as_tensor(other_high).cpu(), atol=1e-5)

    comparison = compare(
        f"radial split, {case}, radii {radii}{THERE}",
        {
            "hfcbench": lambda: (split_radial(images, radii, out=outputs), finished()),
            "loop": lambda: authors_loop(few.cpu().numpy(), radii),
            "torch": lambda: (straightforward(images, radii), finished()),
            "copy": lambda: (copy(images, outputs), finished()),
        },
        rounds=rounds,
        goals={**GOALS[case], **GOALS_ON_A_GPU},
        scale={"loop": len(images) / loop_images},
    )
    benchmark.extra_info.update({peer: comparison.ratio(peer) for peer in comparison.seconds})
    benchmark.pedantic(split_radial, (images, radii), {"out": outputs}, rounds=3)
