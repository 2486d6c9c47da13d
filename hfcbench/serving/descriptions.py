"""What the pages say of the database, its views and their columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hfcbench.serving.ready_queries import ReadyQuery

VIEWS: Mapping[str, str] = {
    "results": "A row for every score, with all that it is of and the run that computed it.",
    "leaderboard": (
        "A row per training, defence, decomposition, rescaling and cutoff. Only rows of one "
        "fingerprint, scale, split, procedure, n, metric and cut compare."
    ),
    "robustness": "A row per training, defence, attack, epsilon and component: accuracy.",
    "picture_gains": (
        "A row for every picture, component and metric of a detector that scores on both, the "
        "original and the component."
    ),
}
"""The views that pages explain column by column."""

COLUMNS: Mapping[str, str] = {
    "dataset": "Name of the dataset.",
    "fingerprint": "sha256 of the dataset's decoded content.",
    "scale": "full, or quick where a study was shrunk.",
    "model": "Label of the architecture with its parameters.",
    "heuristics": "What was changed about the training; vanilla: nothing.",
    "trained_on": "Component that the model saw in training.",
    "seed": "Of the training.",
    "split": "Of the dataset that was evaluated.",
    "defence": "Label of the defence; none: undefended.",
    "attack": "Label of the attack; none: clean images.",
    "epsilon": "How far the attack may change a pixel, of a range of [0, 1].",
    "attack_norm": "What epsilon limits: linf or l2.",
    "criterion": "How attacked images were judged: worst-case, exact or full.",
    "attack_mode": "What the attack knew: adaptive, transfer or oblivious.",
    "attack_precision": "Number format that the attack computed in.",
    "smaller_epsilons": "Epsilons that were searched before this one.",
    "flags": "How many stored checks cast doubt on the score.",
    "component": "What the model was shown: original, lfc@8, hfc@8.",
    "part": "The component without its cutoff.",
    "cutoff": "Radius in cycles per image, or rank, at which images were split.",
    "decomposition": "How images were split into low and high frequencies.",
    "rescaling": "How components were brought back into the range of pixels.",
    "metric": "What the numbers are: top1 (accuracy), map (mean average precision), ...",
    "value": "The score; empty where it is no finite number.",
    "state": "finite, nan, infinity or -infinity.",
    "low": "Lower end of the score's 95% interval.",
    "high": "Upper end of the score's 95% interval.",
    "n": "How many images the score is over.",
    "original": "Score on the original images.",
    "original_low": "Lower end of its 95% interval.",
    "original_high": "Upper end of its 95% interval.",
    "lfc": "Score on the low-frequency components.",
    "hfc": "Score on the high-frequency components.",
    "gap": "original - lfc: how much of the score rests on high frequencies.",
    "robust": "Lowest accuracy under any single attack.",
    "accuracy": "Share of the attacked images that are classified rightly.",
    "accuracy_low": "Lower end of its 95% interval (Wilson's).",
    "accuracy_high": "Upper end of its 95% interval (Wilson's).",
    "picture": "Name of the picture.",
    "object_count": "Objects in the picture.",
    "height": "Of the picture, in pixels.",
    "width": "Of the picture, in pixels.",
    "difference": "value - original, of this picture.",
    "epochs": "How long the model was trained; 0: trained weights were loaded.",
    "model_version": "Version of the architecture.",
    "defence_version": "Version of the defence.",
    "attack_version": "Version of the attack.",
    "decomposition_version": "Version of the decomposition.",
    "metric_version": "Version of the metric.",
    "procedure": "Version of the evaluation procedure.",
    "device": "What the score was computed on.",
    "hfcbench_version": "That computed the score.",
    "torch_version": "That computed the score.",
    "host": "Machine that computed the score.",
    "command": "Command line that computed the score.",
    "training": "Identity of the training, as in `hfcbench show ID`.",
    "evaluation": "Identity of the evaluation, as in `hfcbench show ID`.",
    "run": "Of hfcbench, the one that computed the score.",
}
"""What the columns of those views mean; a name means the same in each."""

_ABOUT = (
    "How much of vision models' scores rests on image frequencies that people barely see. Start "
    "with a ready query below; every page can be linked to, and downloaded as CSV or JSON."
)


def metadata(
    name: str, queries: list[ReadyQuery], columns: Mapping[str, list[str]]
) -> dict[str, Any]:
    """What Datasette shows beside the data of the database called ``name``.

    Args:
        columns: the names in each of the views that the database has.
    """
    tables: dict[str, Any] = {
        view: {
            "description": VIEWS[view],
            "columns": {column: COLUMNS[column] for column in names if column in COLUMNS},
        }
        for view, names in columns.items()
        if view in VIEWS
    }
    tables["alembic_version"] = {"hidden": True}
    ready = {
        query.name: {"title": query.title, "description": query.description, "sql": query.sql}
        for query in queries
    }
    database = {"description": _ABOUT, "queries": ready, "tables": tables}
    return {"title": "hfcbench results", "description": _ABOUT, "databases": {name: database}}
