"""Weights from detectron2's model zoo and from files of one's own."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from hfcbench.errors import NodeError, SpecificationError
from hfcbench_detectron2.arrays_only import ArraysOnly
from hfcbench_detectron2.library import DetectionCheckpointer

if TYPE_CHECKING:
    from hfcbench_detectron2.detector import Detectron2

_PREFIX = "network."
"""What stands before each name in a checkpoint of hfcbench."""
# Masks and keypoints are not computed; old files hold anchors and means, which follow from the
# configuration.
_NOT_NEEDED = ("mask_head", "keypoint_head", "cell_anchors", "pixel_mean", "pixel_std")


class CompleteCheckpointer(DetectionCheckpointer):  # type: ignore[misc]
    """Detectron2's own, which takes no weights for good that do not fit the network."""

    def _log_incompatible_keys(self, incompatible: Any) -> None:
        misshapen = {name for name, _, _ in incompatible.incorrect_shapes}
        problems = [
            f"{name} is {found}, not {wanted}"
            for name, found, wanted in incompatible.incorrect_shapes
        ]
        problems += [
            f"{name} is missing" for name in incompatible.missing_keys if name not in misshapen
        ]
        problems += [
            f"{name} is unknown"
            for name in incompatible.unexpected_keys
            if not any(part in name for part in _NOT_NEEDED)
        ]
        if problems:
            more = f", and {len(problems) - 3} more" if len(problems) > 3 else ""
            raise NodeError(
                f"the weights are of another network: {'; '.join(problems[:3])}{more}",
                hint="config and options must be what they were trained with",
            )


def zoo_url(detector: Detectron2) -> str:
    """Where detectron2 publishes the weights of a name in its zoo.

    Raises:
        SpecificationError: it has none for it.
        NodeError: its list cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "pkg_resources is deprecated")
            from detectron2.model_zoo import get_checkpoint_url
    except ImportError as error:
        raise NodeError(
            f"detectron2 cannot read the list of its weights: {error}",
            hint='its model_zoo needs: pip install "setuptools<81"',
        ) from error
    try:
        return str(get_checkpoint_url(detector.config))
    except RuntimeError as error:
        raise SpecificationError(f"{detector} has no weights in detectron2's model zoo") from error


def load_zoo(detector: Detectron2, network: nn.Module) -> None:
    """Load published weights as detectron2 does. It unpickles the file that it downloads.

    Raises:
        NodeError: they cannot be downloaded, or do not fit the network.
    """
    url = zoo_url(detector)
    # From refused connections to damaged pickles, with no base in common.
    try:
        CompleteCheckpointer(network).load(url)
    except NodeError:
        raise
    except Exception as error:
        raise NodeError(
            f"the weights of {detector} could not be loaded: {_first_line(error)}",
            hint=f"they are downloaded once from {url}; where there is no network, fetch that "
            "file elsewhere and name it as weights, with weights_classes=config",
        ) from error


def load_file(network: nn.Module, path: Path) -> None:
    """Load a file of one's own, of which nothing but tensors and arrays is unpickled.

    Raises:
        NodeError: it cannot be read, holds something else, or does not fit the network.
    """
    state = _read(path)
    inner = state.get("model", state)
    if not isinstance(inner, Mapping) or not inner:
        raise NodeError(f"the weights {path} are no checkpoint of detectron2, nor a state dict")
    if all(str(name).startswith(_PREFIX) for name in inner):
        inner = {name.removeprefix(_PREFIX): value for name, value in inner.items()}
    checkpointer = CompleteCheckpointer(network)
    rest = {key: state[key] for key in ("__author__", "matching_heuristics") if key in state}
    try:
        checkpointer._log_incompatible_keys(
            checkpointer._load_model({"model": dict(inner), **rest})
        )
    except (ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise NodeError(f"the weights {path} cannot be loaded: {_first_line(error)}") from error


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        if path.suffix == ".pkl":
            with path.open("rb") as file:
                found = ArraysOnly(file, encoding="latin1").load()
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise NodeError(
            f"the weights {path} hold more than tensors, and are not unpickled: "
            f"{_first_line(error)}",
            hint="save model.state_dict() alone, by torch.save or as safetensors",
        ) from error
    except SafetensorError as error:
        raise NodeError(f"the weights {path} are no safetensors file: {error}") from error
    except (OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError) as error:
        raise NodeError(f"the weights {path} cannot be read: {_first_line(error)}") from error
    return found if isinstance(found, Mapping) else {}


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
