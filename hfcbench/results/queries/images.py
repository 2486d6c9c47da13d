"""Frames of single images: what one evaluation answered, and where two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hfcbench.errors import UsageError
from hfcbench.results.writing.stored_predictions import read_predictions

if TYPE_CHECKING:
    import pandas as pd


def predictions_frame(connection: Connection, identity: str) -> pd.DataFrame:
    """One row per image, by its place in the evaluation: label, predicted, correct, ..."""
    import pandas as pd

    predictions = read_predictions(connection, identity)
    return pd.DataFrame(
        {
            "label": predictions.labels,
            "predicted": predictions.predicted,
            "correct": predictions.predicted == predictions.labels,
            "confidence": predictions.confidence,
            "loss": predictions.loss,
        },
        index=pd.RangeIndex(len(predictions.labels), name="image"),
    )


def intervals_frame(connection: Connection, identity: str) -> pd.DataFrame:
    """95% intervals of an evaluation's accuracy and mean loss, from its stored predictions."""
    import pandas as pd

    from hfcbench.results.statistics import bootstrap_interval, wilson

    images = predictions_frame(connection, identity)
    correct, n = images["correct"], len(images)
    rows = [
        ("accuracy", "Wilson", correct.mean(), wilson(int(correct.sum()), n)),
        ("accuracy", "bootstrap", correct.mean(), bootstrap_interval(correct.to_numpy())),
        ("loss", "bootstrap", images["loss"].mean(), bootstrap_interval(images["loss"].to_numpy())),
    ]
    return pd.DataFrame(
        [(name, how, float(value), found.low, found.high, n) for name, how, value, found in rows],
        columns=["of", "interval", "value", "low", "high", "n"],
    )


def paired_frames(
    connection: Connection, first: str, second: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The predictions of two evaluations of the same images.

    Raises:
        UsageError: they are not of the same images: their labels differ.
    """
    frames = [predictions_frame(connection, identity) for identity in (first, second)]
    if not frames[0]["label"].equals(frames[1]["label"]):
        counts = f"{len(frames[0])} and {len(frames[1])}"
        raise UsageError(
            f"evaluations {first[:12]} and {second[:12]} are not of the same images "
            f"({counts} of them, or other labels)"
        )
    return frames[0], frames[1]


def disagreements_frame(connection: Connection, first: str, second: str) -> pd.DataFrame:
    """The images whose predicted class differs between two evaluations of the same images."""
    one, other = paired_frames(connection, first, second)
    answers = [name for name in one if name != "label"]
    first_answers = one.rename(columns={name: f"{name}_first" for name in answers})
    second_answers = other[answers].rename(columns={name: f"{name}_second" for name in answers})
    joined = first_answers.join(second_answers)
    return joined[joined["predicted_first"] != joined["predicted_second"]]
