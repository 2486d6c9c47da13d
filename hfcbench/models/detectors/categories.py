"""Which of a detector's categories each class of a dataset is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torchvision.models.detection import RetinaNet_ResNet50_FPN_Weights

from hfcbench.errors import SpecificationError, nearest
from hfcbench.models.torchvision_detectors import TorchvisionDetector

_BACKGROUND = "__background__"
_GAP = "N/A"


@dataclass(frozen=True)
class Categories:
    """How many categories a network tells, background included, and that of each class."""

    count: int
    of_classes: tuple[int, ...]


def coco_categories() -> tuple[str, ...]:
    """The 91 categories of torchvision's weights: background, COCO's, and ``N/A`` in its gaps."""
    return tuple(RetinaNet_ResNet50_FPN_Weights.COCO_V1.meta["categories"])


def categories_of(detector: TorchvisionDetector, classes: Sequence[str]) -> Categories:
    """The categories of a detector's weights, and those that a dataset's classes are.

    Raises:
        SpecificationError: there are classes that the weights do not know by name.
    """
    listed = detector.checkpoint_classes
    if detector.weights == "coco" or listed == "coco":
        names = coco_categories()
    elif listed == "dataset":
        return Categories(len(classes) + 1, tuple(range(1, len(classes) + 1)))
    else:
        names = (_BACKGROUND, *listed)
    known = set(names) - {_BACKGROUND, _GAP}
    unknown = [name for name in classes if name not in known]
    if not unknown:
        return Categories(len(names), tuple(names.index(name) for name in classes))
    few = ", ".join(f"'{name}'" for name in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
    count = f"{len(unknown)} of the dataset's {len(classes)} classes"
    raise SpecificationError(
        f"the weights of model '{detector.name}' do not know {count}: {few}; "
        f"{nearest(unknown[0], known)}",
        hint="name the dataset's classes as the weights do, or train a detector for them "
        "(backbone_weights=imagenet starts it from a trained backbone)",
    )
