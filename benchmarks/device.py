"""Where training and splitting are timed: on the GPU where there is one."""

from __future__ import annotations

import torch

HAS_GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if HAS_GPU else "cpu")
THERE = ", on the GPU" if HAS_GPU else ""
"""Ends the titles of its tables, so that they stand beside those of processors."""


def finished() -> None:
    """Wait for all that the device was given: only then has a contender taken its time."""
    if HAS_GPU:
        torch.cuda.synchronize()
