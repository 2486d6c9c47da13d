"""A network of detectron2 behind hfcbench's contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hfcbench.detection_types import Found, Target
from hfcbench_detectron2.library import Boxes, CfgNode, EventStorage, Instances, ResizeShortestEdge
from hfcbench_detectron2.outputs import Outputs
from hfcbench_detectron2.resizing import resize, to_levels

MOST_FOUND = 100
THINNEST = 0.01
"""Boxes that are thinner, in pixels, cannot be learned: their logarithm runs away."""


class Detectron2Module(nn.Module):
    """A network of detectron2, asked about and taught the classes of one dataset.

    See :class:`hfcbench.detection_types.DetectorModule` for what goes in and comes out. Pictures
    are resized to the configuration's size for testing, in training as well.

    Args:
        network: what ``build_model`` makes.
        outputs: which of its classes are the dataset's.
        cfg: its configuration.
        most: the configuration's limit on detections in a picture; 100 if that is less.
    """

    of_classes: Tensor
    classes: Tensor

    def __init__(self, network: nn.Module, outputs: Outputs, cfg: CfgNode, most: int) -> None:
        super().__init__()
        self.network = network
        self._most = min(most, MOST_FOUND) if most >= 0 else MOST_FOUND
        self._blue_first = cfg.INPUT.FORMAT == "BGR"
        self._shorter_side: int = cfg.INPUT.MIN_SIZE_TEST
        self._longer_side: int = cfg.INPUT.MAX_SIZE_TEST
        of_classes = torch.tensor(outputs.of_classes)
        # Both follow from the classes that the module was built for.
        self.register_buffer("of_classes", of_classes, persistent=False)
        classes = torch.full((outputs.count,), -1)
        classes[of_classes] = torch.arange(len(of_classes))
        self.register_buffer("classes", classes, persistent=False)

    def forward(self, images: Tensor) -> list[Found]:
        """At most 100 detections in each of the images ``(N,3,H,W)``, best first."""
        height, width = images.shape[-2:]
        asked = [
            {"image": image, "height": height, "width": width} for image in self._prepared(images)
        ]
        return [self._known(answer["instances"]) for answer in self.network(asked)]

    def loss(self, images: Sequence[Tensor], targets: Sequence[Target]) -> Tensor:
        """The sum of detectron2's losses, a scalar; in training mode only."""
        taught = [
            self._taught(image, target) for image, target in zip(images, targets, strict=True)
        ]
        # Its losses note numbers in a storage, which nobody reads here. RetinaNet's is compiled;
        # unless told otherwise, torch computes the first calls of a process in another order.
        with EventStorage(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
            losses = self.network(taught)
        total: Tensor = sum(losses.values())
        return total

    def _prepared(self, images: Tensor) -> Tensor:
        """``(...,3,H,W)`` in [0,1] as ``DefaultPredictor`` would hand them to the network."""
        height, width = images.shape[-2:]
        levels = to_levels(images)
        if self._shorter_side > 0:
            size = ResizeShortestEdge.get_output_shape(
                height, width, self._shorter_side, self._longer_side
            )
            levels = resize(levels, *size)
        if self._blue_first:
            levels = levels.flip(-3)
        return levels.float().to(images.device)

    def _known(self, instances: Any) -> Found:
        classes = self.classes[instances.pred_classes]
        kept = torch.where(classes >= 0)[0][: self._most]
        return Found(instances.pred_boxes.tensor[kept], instances.scores[kept], classes[kept])

    def _taught(self, image: Tensor, target: Target) -> dict[str, Any]:
        prepared = self._prepared(image)
        height, width = image.shape[-2:]
        new_height, new_width = prepared.shape[-2:]
        kept = (target.boxes[:, 2:] - target.boxes[:, :2] > THINNEST).all(1)
        boxes = Boxes(target.boxes[kept].clone())
        boxes.scale(new_width / width, new_height / height)
        instances = Instances((new_height, new_width))
        instances.gt_boxes = boxes
        instances.gt_classes = self.of_classes[target.classes[kept]]
        return {"image": prepared, "instances": instances}
