"""Memory that really runs out: a process with a limit of its own, and a GPU with one."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
import torch
from torch import nn

from hfcbench.adversarial.gradient import gradient_and_logits
from hfcbench.memory.calling import called_in_parts
from hfcbench.memory.part_size import PartSize

MEBI = 2**20

# 64 images need more than the limit allows, and 16 of them do not.
IN_A_LIMITED_PROCESS = """
import resource
import torch
from hfcbench.adversarial.gradient import gradient_and_logits
from hfcbench.memory.calling import called_in_parts
from hfcbench.memory.part_size import PartSize

class Wide(torch.nn.Module):
    def forward(self, images):
        wide = images.flatten(1).tanh()[:, :, None] * torch.ones(2**20)  # 16 MiB an image
        return wide.sum(2)

model, labels = Wide().eval(), torch.arange(64) % 4
images = torch.rand(64, 1, 2, 2, generator=torch.Generator().manual_seed(0))
expected = [gradient_and_logits(model, images[i : i + 1], labels[i : i + 1]) for i in range(64)]
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
limit = used + 700 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
part_size = PartSize()
with called_in_parts(model, part_size):
    found = part_size.fitted(lambda: gradient_and_logits(model, images, labels))
for part in (0, 1):
    assert torch.equal(found[part], torch.cat([one[part] for one in expected]))
print(part_size.notes)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are Linux's")
def test_a_process_with_too_little_memory_goes_on_in_parts():
    command = [sys.executable, "-c", IN_A_LIMITED_PROCESS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "out of memory at 64 images: in parts of " in done.stdout


class Deep(nn.Module):
    """Keeps some 4 MiB of an image 32x32 for its gradient."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        widths = [3, *[128] * 8]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, images):
        return self.layers(images).mean((2, 3))[:, :10]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_with_too_little_memory_goes_on_in_parts():
    device = torch.device("cuda")
    model = Deep().to(device).eval()
    images = torch.rand(1024, 3, 32, 32, device=device)
    labels = torch.arange(1024, device=device) % 10
    expected = gradient_and_logits(model, images, labels)
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(device).total_memory
    part_size = PartSize()
    torch.cuda.set_per_process_memory_fraction(
        min(1.0, (torch.cuda.memory_reserved(device) + 2048 * MEBI) / total), device
    )
    try:
        torch.cuda.reset_peak_memory_stats(device)
        with called_in_parts(model, part_size):
            found = part_size.fitted(lambda: gradient_and_logits(model, images, labels))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
    assert part_size.images is not None
    assert part_size.images < 1024
    for one, other in zip(found, expected, strict=True):
        # Kernels of convolutions are chosen by the size of the batch.
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)
