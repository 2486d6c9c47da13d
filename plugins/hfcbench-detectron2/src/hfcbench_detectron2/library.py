"""What is used of detectron2. Importing it warns of what torch has deprecated; nobody can help it.

Raises:
    NodeError: detectron2 is installed but cannot be imported.
"""

from __future__ import annotations

import warnings

import torch

from hfcbench.errors import NodeError

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        # Anchors are made by such calls, of which torch warns once.
        warnings.filterwarnings("ignore", "torch.meshgrid", UserWarning)
        torch.meshgrid(torch.zeros(1), torch.zeros(1))
        from detectron2.checkpoint import DetectionCheckpointer
        from detectron2.config import CfgNode, get_cfg
        from detectron2.data import MetadataCatalog
        from detectron2.data.transforms import ResizeShortestEdge
        from detectron2.modeling import build_model
        from detectron2.structures import Boxes, Instances
        from detectron2.utils.events import EventStorage
except ImportError as error:
    raise NodeError(
        f"detectron2 is installed, but cannot be imported: {error}",
        hint="it must have been built with the torch that is installed now",
    ) from error

__all__ = [
    "Boxes",
    "CfgNode",
    "DetectionCheckpointer",
    "EventStorage",
    "Instances",
    "MetadataCatalog",
    "ResizeShortestEdge",
    "build_model",
    "get_cfg",
]
