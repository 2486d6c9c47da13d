"""A detector of torchvision behind hfcbench's contract."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hfcbench.detection_types import Found, Target
from hfcbench.models.detectors.categories import Categories

MOST_FOUND = 100
THINNEST = 0.01
"""Boxes that are thinner, in pixels, cannot be learned: their logarithm runs away."""


class TorchvisionModule(nn.Module):
    """A network of torchvision, asked about and taught the classes of one dataset.

    Resizing and normalisation are the network's own. See
    :class:`hfcbench.detection_types.DetectorModule` for what goes in and comes out.

    What it finds of categories that are no classes of the dataset is left out before the limit of
    100 and after the library's non-maximum suppression, which categories do not share; what the
    library drops before that, such as all but the 1,000 best candidates of each level of a
    pyramid, it drops over all categories.

    Args:
        network: returns all that it finds, without a limit.
        categories: the network's category of each class.
    """

    categories: Tensor
    classes: Tensor

    def __init__(self, network: nn.Module, categories: Categories) -> None:
        super().__init__()
        self.network = network
        # Both follow from the classes that the module was built for.
        of_classes = torch.tensor(categories.of_classes)
        self.register_buffer("categories", of_classes, persistent=False)
        classes = torch.full((categories.count,), -1)
        classes[of_classes] = torch.arange(len(of_classes))
        self.register_buffer("classes", classes, persistent=False)

    def forward(self, images: Tensor) -> list[Found]:
        """At most 100 detections in each of the images ``(N,3,H,W)``, best first."""
        return [self._known(found) for found in self.network(list(images))]

    def loss(self, images: Sequence[Tensor], targets: Sequence[Target]) -> Tensor:
        """The sum of the library's losses, a scalar; in training mode only."""
        losses = self.network(list(images), [self._taught(target) for target in targets])
        total: Tensor = sum(losses.values())
        return total

    def _known(self, found: dict[str, Tensor]) -> Found:
        classes = self.classes[found["labels"]]
        kept = torch.where(classes >= 0)[0][:MOST_FOUND]
        return Found(found["boxes"][kept], found["scores"][kept], classes[kept])

    def _taught(self, target: Target) -> dict[str, Tensor]:
        sizes = target.boxes[:, 2:] - target.boxes[:, :2]
        kept = (sizes > THINNEST).all(1)
        return {"boxes": target.boxes[kept], "labels": self.categories[target.classes[kept]]}
