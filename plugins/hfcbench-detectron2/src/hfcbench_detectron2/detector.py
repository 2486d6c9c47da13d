"""The detector as suites name it; importing this module loads neither torch nor detectron2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from hfcbench.errors import SpecificationError
from hfcbench.types import DataLocation, DataPath

if TYPE_CHECKING:
    from torch import nn

Number: TypeAlias = bool | int | float
Value: TypeAlias = Number | str | list[Number | str | list[Number]]
WeightsClasses: TypeAlias = Literal["dataset", "config"] | list[str]


@dataclass(frozen=True)
class Detectron2:
    """RetinaNet and Faster, Mask and Cascade R-CNN of detectron2, by their configurations.

    Pictures are resized, put into BGR where the configuration says so, and normalised inside the
    module, as ``DefaultPredictor`` does. Masks and keypoints are not computed.

    Attributes:
        config: a name in detectron2's model zoo, such as
            ``COCO-Detection/retinanet_R_50_FPN_1x.yaml``, or a file of your own.
        weights: ``zoo`` are those that detectron2 publishes for the name; otherwise a file of
            your own, ``.pth`` as detectron2 trains it, ``.pkl`` as its zoo has it, or
            ``.safetensors``. With ``none`` all of it starts at random.
        weights_classes: what the outputs of a file stand for: the dataset's classes in their
            order, those of the dataset that the configuration names, or these. Those of ``zoo``
            stand for the configuration's.
        options: what else the configuration shall say, as in
            ``{MODEL.RETINANET.SCORE_THRESH_TEST: 0.01}``.
    """

    task: ClassVar[Literal["detection"]] = "detection"

    config: DataPath
    weights: Literal["none", "zoo"] | DataPath = "none"
    weights_classes: WeightsClasses = "dataset"
    options: dict[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.weights in ("none", "zoo") and self.weights_classes != "dataset":
            raise SpecificationError(
                f"{self} has weights_classes, which only a file of weights can have"
            )

    def __str__(self) -> str:
        return f"model 'detectron2/{self.config}'"

    def check(self, classes: Sequence[str]) -> None:
        """Raise SpecificationError unless detectron2 is there and knows these classes.

        What a configuration of the user's own says is only known where it is built.
        """
        self._need_detectron2()
        from hfcbench_detectron2.configuration import is_in_zoo, read_config
        from hfcbench_detectron2.outputs import outputs_of

        if is_in_zoo(self.config):
            outputs_of(self, read_config(self, DataLocation()), classes)

    def files_sha256(self, location: DataLocation) -> str | None:
        """The sha256 over a configuration of the user's own, with its bases, and over weights."""
        self._need_detectron2()
        from hfcbench_detectron2.configuration import files_sha256

        return files_sha256(self, location)

    def build(self, classes: Sequence[str], location: DataLocation) -> nn.Module:
        """A :class:`~hfcbench_detectron2.module.Detectron2Module`.

        Raises:
            SpecificationError: detectron2 is missing, or cannot do what the configuration says.
            NodeError: the weights cannot be had, or are another network's.
        """
        self._need_detectron2()
        from hfcbench_detectron2.building import build_module

        return build_module(self, classes, location)

    def _need_detectron2(self) -> None:
        if find_spec("detectron2") is None:
            raise SpecificationError(
                f"{self} needs detectron2, which is not installed",
                hint="pip install --no-build-isolation "
                "git+https://github.com/facebookresearch/detectron2",
            )
