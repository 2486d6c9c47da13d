"""What leaderboards rank by, and their columns that are no scores; importing this loads nothing
else."""

from __future__ import annotations

SECTION = ("dataset", "fingerprint", "scale", "split", "procedure", "n")
"""Rows rank against each other only if they agree in all of these. A column holds the scores of
one condition, so that cuts, rescalings and versions never mix in a ranking either."""

NAMES = ("model", "heuristics", "trained_on", "defence", "seed", "epochs")
"""What tells rows of a section apart."""

GROUPS = ("configuration", *NAMES)
"""What rows can be averaged over: all that share one of these. Of one ``configuration`` are
trainings that differ by their seed only."""

HEADLINES = {"classification": "top1", "detection": "map"}
"""The metric that ranks models, by the task of their dataset."""
