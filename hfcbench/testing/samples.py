"""Small images and networks that contracts try plugins on; the same at every call."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hfcbench.types import ImageShape

CLASSES = 4


def images(shape: ImageShape, count: int = 6, seed: int = 0) -> Tensor:
    """Smooth and noisy images ``(count,C,H,W)`` float32 in [0.05,0.95], multiples of 1/255."""
    generator = torch.Generator().manual_seed(seed)
    size = (count, shape.channels, shape.height, shape.width)
    coarse = torch.rand(*size[:2], 4, 4, generator=generator)
    smooth = nn.functional.interpolate(coarse, size[2:], mode="bilinear", align_corners=False)
    noisy = smooth * 0.8 + torch.rand(size, generator=generator) * 0.2
    return noisy.mul(0.9 * 255).add(0.05 * 255).round() / 255


def labels(count: int = 6) -> Tensor:
    """``(count,)`` int64 below :data:`CLASSES`."""
    return torch.arange(count) % CLASSES


class Seen(list[Tensor]):
    """What a :class:`Watched` model was shown; its copies share it."""

    def __deepcopy__(self, memo: object) -> Seen:
        return self


class Watched(nn.Module):
    """A small classifier ``(N,C,H,W) -> (N,CLASSES)`` that keeps what it is shown.

    It has a convolution, BatchNorm and dropout, so that training mode changes its answers.
    """

    def __init__(self, shape: ImageShape, seed: int = 0) -> None:
        super().__init__()
        self.seen = Seen()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.features = nn.Conv2d(shape.channels, 8, 3, padding=1)
            self.norm = nn.BatchNorm2d(8)
            self.dropout = nn.Dropout(0.5)
            # Wide enough apart that small changes of an image show.
            self.head = nn.Linear(8 * 4, CLASSES)
        self.eval()

    def forward(self, shown: Tensor) -> Tensor:
        """Logits; what is shown is kept without its gradient."""
        self.seen.append(shown.detach().clone())
        features = self.norm(self.features(shown)).relu()
        pooled = nn.functional.adaptive_avg_pool2d(features, 2).flatten(1)
        answer: Tensor = self.head(self.dropout(pooled)) * 10
        return answer


def states(module: nn.Module) -> dict[str, Tensor]:
    """A copy of all parameters and buffers."""
    return {name: value.clone() for name, value in module.state_dict().items()}


def same_states(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two modules hold the same numbers under the same names."""
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


def is_close(first: Tensor, second: Tensor, tolerance: float = 1e-4) -> bool:
    """Equal up to what sums in another order round, relative to the largest value."""
    if first.shape != second.shape:
        return False
    scale = max(1.0, float(first.abs().amax())) if first.numel() else 1.0
    return bool(torch.allclose(first, second, rtol=0, atol=tolerance * scale, equal_nan=True))
