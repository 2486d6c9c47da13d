"""The tables. A change here needs an Alembic revision and a golden database for it.

Besides these the revisions create the views ``results``, ``leaderboard``, ``robustness``
and ``picture_gains``.
"""

from hfcbench.results.schema.analyses import Analysis, Quantity
from hfcbench.results.schema.base import Base
from hfcbench.results.schema.detections import (
    ClassScore,
    Detection,
    Picture,
    PictureScore,
    PictureSet,
)
from hfcbench.results.schema.evaluations import (
    Condition,
    Evaluation,
    LabelSet,
    Metric,
    Prediction,
    ReliabilityCheck,
    Score,
)
from hfcbench.results.schema.runs import (
    Claim,
    Disagreement,
    Failure,
    Note,
    Plugin,
    Run,
    RunPlugin,
)
from hfcbench.results.schema.trainings import (
    Artifact,
    Curve,
    Dataset,
    Epoch,
    Training,
    TrainingHeuristic,
)

__all__ = [
    "Analysis",
    "Artifact",
    "Base",
    "Claim",
    "ClassScore",
    "Condition",
    "Curve",
    "Dataset",
    "Detection",
    "Disagreement",
    "Epoch",
    "Evaluation",
    "Failure",
    "LabelSet",
    "Metric",
    "Note",
    "Picture",
    "PictureScore",
    "PictureSet",
    "Plugin",
    "Prediction",
    "Quantity",
    "ReliabilityCheck",
    "Run",
    "RunPlugin",
    "Score",
    "Training",
    "TrainingHeuristic",
]
