"""Configurations of detectron2: those of its model zoo, and files of one's own."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from hfcbench.errors import DataError, SpecificationError, nearest
from hfcbench.types import DataLocation
from hfcbench_detectron2.library import CfgNode, get_cfg

if TYPE_CHECKING:
    from hfcbench_detectron2.detector import Detectron2

_ARCHITECTURES = ("RetinaNet", "GeneralizedRCNN")


def zoo_folder() -> Path:
    """Where detectron2 keeps the configurations of its model zoo."""
    spec = find_spec("detectron2")
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    return Path(folders[0] if folders else "") / "model_zoo" / "configs"


def is_in_zoo(name: str) -> bool:
    """Whether this is a name of the model zoo, not a path that leads elsewhere."""
    return name in _zoo_names()


def read_config(detector: Detectron2, location: DataLocation) -> CfgNode:
    """The complete configuration of a detector, as ``DefaultPredictor`` takes it.

    Raises:
        SpecificationError: there is none of that name, it cannot be read without running code, it
            says something that detectron2 does not know, or it is of no detector.
    """
    in_zoo = is_in_zoo(detector.config)
    path = zoo_folder() / detector.config if in_zoo else location.find(detector.config)
    if not in_zoo and not path.is_file():
        raise SpecificationError(
            f"{detector} is neither a file nor a name of detectron2's model zoo; "
            f"{nearest(detector.config, _zoo_names())}"
        )
    cfg = get_cfg()
    try:
        # Some of the zoo's own compute their anchors; they are as trusted as detectron2 itself.
        cfg.merge_from_file(str(path), allow_unsafe=in_zoo)
    except yaml.constructor.ConstructorError as error:
        raise SpecificationError(
            f"{detector} has a tag of YAML that runs code, and is not read: {error.problem}",
            hint="the config.yaml that detectron2's trainer writes has none",
        ) from error
    # What is wrong in a file comes as one of these.
    except (yaml.YAMLError, KeyError, ValueError, TypeError, AssertionError, OSError) as error:
        raise SpecificationError(f"{detector} cannot be read: {error}") from error
    _apply(detector, cfg)
    _check(detector, cfg)
    return cfg


def files_sha256(detector: Detectron2, location: DataLocation) -> str | None:
    """One sha256 over what the files of a detector say; None if it names none."""
    digests = []
    if not is_in_zoo(detector.config):
        # As merged: a file that it is based on counts as well.
        text = read_config(detector, location).dump()
        digests.append("config " + hashlib.sha256(text.encode()).hexdigest())
    if detector.weights not in ("none", "zoo"):
        path = location.find(detector.weights)
        try:
            with path.open("rb") as file:
                digests.append("weights " + hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise DataError(f"the weights {path} cannot be read: {error.strerror}") from error
    return hashlib.sha256("\n".join(digests).encode()).hexdigest() if digests else None


def _apply(detector: Detectron2, cfg: CfgNode) -> None:
    """Put in the user's options, and that only boxes are wanted."""
    changes: list[Any] = [part for pair in detector.options.items() for part in pair]
    try:
        cfg.merge_from_list(changes)
    except (KeyError, ValueError, AssertionError) as error:
        raise SpecificationError(
            f"{detector} cannot take its options: {_text(error)}",
            hint="they are written as in {MODEL.RETINANET.SCORE_THRESH_TEST: 0.01}",
        ) from error
    cfg.MODEL.DEVICE = "cpu"  # it is moved once it is built
    cfg.MODEL.MASK_ON = False
    cfg.MODEL.KEYPOINT_ON = False
    cfg.VIS_PERIOD = 0


def _check(detector: Detectron2, cfg: CfgNode) -> None:
    if cfg.MODEL.META_ARCHITECTURE not in _ARCHITECTURES or cfg.MODEL.LOAD_PROPOSALS:
        what = "proposals of its own making"
        if not cfg.MODEL.LOAD_PROPOSALS:
            what = f"a {cfg.MODEL.META_ARCHITECTURE}"
        raise SpecificationError(
            f"{detector} is for {what}; detectors are {' and '.join(_ARCHITECTURES)} that find "
            "objects from the picture alone"
        )
    if cfg.INPUT.FORMAT not in ("BGR", "RGB"):
        raise SpecificationError(f"{detector} takes {cfg.INPUT.FORMAT} pictures, not BGR or RGB")
    if detector.weights == "none" and cfg.MODEL.BACKBONE.FREEZE_AT > 0:
        raise SpecificationError(
            f"{detector} never trains the first layers of its backbone, and without weights "
            "they are random",
            hint="options={MODEL.BACKBONE.FREEZE_AT: 0, MODEL.RESNETS.NORM: GN} trains all of it",
        )


def _zoo_names() -> list[str]:
    folder = zoo_folder()
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml"))


def _text(error: Exception) -> str:
    # A KeyError's own text is in quotes.
    return str(error.args[0]) if error.args else type(error).__name__
