"""A detector of detectron2 for a dataset's classes, with its weights."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hfcbench.types import DataLocation
from hfcbench_detectron2.configuration import read_config
from hfcbench_detectron2.library import build_model
from hfcbench_detectron2.module import Detectron2Module
from hfcbench_detectron2.outputs import outputs_of
from hfcbench_detectron2.weights import load_file, load_zoo

if TYPE_CHECKING:
    from hfcbench_detectron2.detector import Detectron2


def build_module(
    detector: Detectron2, classes: Sequence[str], location: DataLocation
) -> Detectron2Module:
    """The module of a detector for the classes of a dataset.

    Raises:
        SpecificationError: detectron2 cannot do what the configuration says, or the weights do
            not know the classes.
        NodeError: the weights cannot be had, or are another network's.
    """
    cfg = read_config(detector, location)
    outputs = outputs_of(detector, cfg, classes)
    cfg.MODEL.RETINANET.NUM_CLASSES = outputs.count
    cfg.MODEL.ROI_HEADS.NUM_CLASSES = outputs.count
    most = cfg.TEST.DETECTIONS_PER_IMAGE
    if not outputs.all_are_classes:
        # What is no class of the dataset must not take a place among the best.
        cfg.TEST.DETECTIONS_PER_IMAGE = sys.maxsize
    network = build_model(cfg)
    if detector.weights == "zoo":
        load_zoo(detector, network)
    elif detector.weights != "none":
        load_file(network, location.find(detector.weights))
    return Detectron2Module(network, outputs, cfg, most)
