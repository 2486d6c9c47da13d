"""What torchvision's detectors have in common, before any of torch is loaded."""

# Annotations are evaluated here, where their names are known: subclasses inherit the fields.

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias, final

from annotated_types import Ge, Interval, MultipleOf

from hfcbench.errors import SpecificationError
from hfcbench.types import DataLocation, DataPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

Backbone: TypeAlias = Literal["resnet18", "resnet34", "resnet50", "resnet101"]
Count: TypeAlias = Annotated[int, Ge(1)]
Pixels: TypeAlias = Annotated[int, Ge(32)]
Filters: TypeAlias = Annotated[int, Ge(8), MultipleOf(8)]
# FCOS normalises its heads in 32 groups, each of which needs more than one filter.
PyramidFilters: TypeAlias = Annotated[int, Ge(64), MultipleOf(32)]
Scale: TypeAlias = Annotated[float, Interval(ge=0.0625, le=16)]
Share: TypeAlias = Annotated[float, Interval(ge=0, lt=1)]
FileClasses: TypeAlias = Literal["dataset", "coco"] | list[str]

_SUFFIXES = (".safetensors", ".pth", ".pt")


@dataclass(frozen=True)
class TorchvisionDetector:
    """A detector of torchvision; subclasses name it and build its network.

    Attributes:
        weights: ``coco`` are torchvision's, trained on COCO, which torchvision downloads unless it
            has them. Classes are found among COCO's by their names.
        backbone_weights: ``imagenet`` starts training from a backbone that torchvision has trained.
        checkpoint: a file of weights of this very network: a state dict of torchvision's module
            or a checkpoint of hfcbench, as safetensors or as what ``torch.save`` writes.
        checkpoint_classes: what the outputs of ``checkpoint`` behind the background stand for:
            the dataset's classes in their order, COCO's 90 categories, or these.
        trainable_layers: how many layers of a trained backbone are trained further, from its end;
            None is 3 (of SSD's 4). Without trained weights all are.
        score_threshold: what scores no more than this is not reported.
    """

    task: ClassVar[Literal["detection"]] = "detection"
    name: ClassVar[str]
    published: ClassVar[tuple[str, ...]] = ()
    """Parameters that have their defaults wherever COCO's weights are used."""

    weights: Literal["none", "coco"] = "none"
    backbone_weights: Literal["none", "imagenet"] = "none"
    checkpoint: DataPath | None = None
    checkpoint_classes: FileClasses = "dataset"
    trainable_layers: Annotated[int, Interval(ge=0, le=5)] | None = None
    score_threshold: Share = 0.05

    def __post_init__(self) -> None:
        named = [
            name
            for name, given in (
                ("weights", self.weights != "none"),
                ("backbone_weights", self.backbone_weights != "none"),
                ("checkpoint", self.checkpoint is not None),
            )
            if given
        ]
        if len(named) > 1:
            self._refuse(f"takes one of {' and '.join(named)}, each of which holds the backbone")
        if self.trainable_layers is not None and not named:
            self._refuse("has no trained layers: trainable_layers needs trained weights")
        if self.checkpoint is None and self.checkpoint_classes != "dataset":
            self._refuse("has checkpoint_classes without a checkpoint")
        if self.checkpoint is not None and not self.checkpoint.endswith(_SUFFIXES):
            self._refuse(f"reads checkpoints named {', '.join(_SUFFIXES)}, not {self.checkpoint}")
        if self.weights == "coco":
            self._check_coco()

    @property
    def trained(self) -> bool:
        """Whether the backbone does not start at random."""
        return (
            self.weights != "none" or self.backbone_weights != "none" or self.checkpoint is not None
        )

    def check(self, classes: "Sequence[str]") -> None:
        """Raise SpecificationError if the weights do not know these classes by name."""
        if self.weights == "coco" or self.checkpoint_classes != "dataset":
            from hfcbench.models.detectors.categories import categories_of

            categories_of(self, classes)

    @final
    def files_sha256(self, location: DataLocation) -> str | None:
        """The sha256 of ``checkpoint``."""
        if self.checkpoint is None:
            return None
        from hfcbench.models.detectors.weights import file_sha256

        return file_sha256(location.find(self.checkpoint))

    @final
    def build(self, classes: "Sequence[str]", location: DataLocation) -> "nn.Module":
        """A :class:`~hfcbench.models.detectors.module.TorchvisionModule`.

        Raises:
            NodeError: the weights cannot be had, or are another network's.
        """
        from hfcbench.models.detectors.building import build_detector

        self.check(classes)
        return build_detector(self, classes, location)

    def network(self, outputs: int) -> "nn.Module":
        """Torchvision's module for so many categories, the first of which is the background.

        Its backbone may be trained, nothing else is; it returns all that it finds.
        """
        raise TypeError(f"{type(self).__name__} does not say what it builds")

    def _check_coco(self) -> None:
        for name in self.published:
            default = type(self).__dataclass_fields__[name].default
            if getattr(self, name) != default:
                self._refuse(f"with COCO's weights has {name}={default}")

    def _refuse(self, reason: str) -> None:
        raise SpecificationError(f"model '{self.name}' {reason}")


@dataclass(frozen=True)
class PyramidDetector(TorchvisionDetector):
    """A detector on a ResNet with a feature pyramid, which takes pictures of any size.

    Attributes:
        backbone: the ResNet.
        width: filters of the ResNet's first stage; trained ones have 64.
        channels: filters of the pyramid and of what reads it.
        norm: what is behind the convolutions: ``batch`` and ``group`` are normalisations of the
            batch and of groups of filters, ``frozen`` the former's, trained before and now fixed.
            None is ``frozen`` for trained weights, otherwise ``group``, which does not depend on
            how few pictures are in a batch.
        shorter_side: to which pictures are scaled, in pixels ...
        longer_side: ... unless their longer side would be longer than this.
    """

    backbone: Backbone = "resnet50"
    width: Filters = 64
    channels: PyramidFilters = 256
    norm: Literal["batch", "frozen", "group"] | None = None
    shorter_side: Pixels = 800
    longer_side: Pixels = 1333

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.backbone_weights == "imagenet" and (self.width != 64 or self.norm == "group"):
            self._refuse("with ImageNet's backbone_weights has width=64, and no norm=group")
        if self.norm == "frozen" and not self.trained:
            self._refuse("has nothing to freeze: norm=frozen needs trained weights")
        if self.weights == "coco" and self.norm not in (None, "frozen"):
            self._refuse("with COCO's weights has norm=frozen")

    @property
    def normalisation(self) -> Literal["batch", "frozen", "group"]:
        """What :attr:`norm` comes to."""
        return self.norm or ("frozen" if self.trained else "group")
