"""The files of a training, in the artifacts folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hfcbench.results.records import CHECKPOINT, TRAINING_LABELS, ArtifactRecord
from hfcbench.runner.tasks import TrainingTask

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from hfcbench.training.job import TrainingResult


def checkpoint_path(identity: str) -> str:
    """Where a training's checkpoint lies, relative to the artifacts folder."""
    return f"{identity[:2]}/{identity}.safetensors"


def labels_path(identity: str) -> str:
    """Where the labels lie that a model was trained on instead of the dataset's."""
    return f"{identity[:2]}/{identity}.labels.safetensors"


def save_checkpoint_of(task: TrainingTask, module: torch.nn.Module, folder: Path) -> ArtifactRecord:
    """Write the checkpoint of a finished training.

    Raises:
        NodeError: it cannot be written, or is not what the task expects.
    """
    from hfcbench.training.checkpoints import save_checkpoint

    path = checkpoint_path(task.identity)
    saved = save_checkpoint(module, folder / path, task.expected_sha256)
    return ArtifactRecord(CHECKPOINT, path, *saved)


def save_labels_of(
    task: TrainingTask, result: TrainingResult, positions: NDArray[np.int64], folder: Path
) -> ArtifactRecord | None:
    """Write the labels of a finished training, if a heuristic changed them.

    Args:
        positions: of the training images in the dataset's training split, ``(N,)``.

    Raises:
        NodeError: they cannot be written, or are not what the task expects.
    """
    from hfcbench.training.labels import save_labels

    if not result.labels.changed:
        return None
    path = labels_path(task.identity)
    saved = save_labels(result.labels, positions, folder / path, task.expected_labels_sha256)
    return ArtifactRecord(TRAINING_LABELS, path, *saved)
