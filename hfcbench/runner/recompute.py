"""From a stored specification back to a suite that computes just this training or evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml

from hfcbench.errors import StoreError
from hfcbench.types import JSON

if TYPE_CHECKING:
    from hfcbench.results.queries.provenance import Provenance


def suite_text(provenance: Provenance) -> str:
    """A suite file for a stored training, and for the evaluation if it is one.

    Raises:
        StoreError: the specification cannot be said in a suite file, or is none.
    """
    try:
        return _suite_text(provenance)
    except (LookupError, TypeError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise StoreError(
            f"the specification that is stored for {provenance.kind} {provenance.identity[:12]} "
            f"is not one of hfcbench's ({type(error).__name__}: {error})"
        ) from error


def _suite_text(provenance: Provenance) -> str:
    training = provenance.training["specification"]
    block: dict[str, Any] = {
        "datasets": [
            {training["dataset"]["name"]: dict(provenance.dataset["parameters"])},
        ],
        "models": [_named(training["model"])],
        "heuristics": [[_named(item) for item in training["heuristics"]] or ["vanilla"]],
        "train_on": [provenance.training["trained_on"]],
        "seeds": [training["seed"]],
        "schedule": {k: v for k, v in training["schedule"].items() if v is not None},
        "curves": {"components": []},
        "samples": {"train": training["samples"]},
        "metrics": sorted({score["metric"] for score in provenance.scores}) or ["top1", "loss"],
    }
    components = [training["component"]]
    if provenance.evaluation is not None and provenance.condition is not None:
        evaluation = provenance.evaluation["specification"]
        components.append(evaluation["component"])
        block |= _evaluated(evaluation, str(provenance.condition["component"]), block["samples"])
    block |= _cut(components)
    block["samples"] = {k: v for k, v in block["samples"].items() if v is not None}
    suite = {
        "title": f"Recomputes {provenance.kind} {provenance.identity}",
        "scale": training.get("scale", "full"),
        "blocks": [block],
    }
    return yaml.safe_dump(suite, sort_keys=False, allow_unicode=True)


def _evaluated(
    evaluation: Mapping[str, Any], component: str, samples: Mapping[str, Any]
) -> dict[str, Any]:
    """The part of a block that says what is evaluated."""
    if evaluation["split"] != "test":
        raise StoreError(f"a suite file cannot ask for split '{evaluation['split']}'")
    defence = evaluation["defence"]
    said: dict[str, Any] = {"defences": ["none" if defence is None else _named(defence)]}
    if evaluation["attack"] is None:
        said["components"] = [component]
        said["samples"] = {**samples, "test": evaluation["samples"]}
        return said
    # Results of before there was a choice took every step.
    search = evaluation.get("search") or {}
    said["attacks"] = [_named(evaluation["attack"])]
    said["epsilons"] = [*search.get("smaller_epsilons", ()), evaluation["epsilon"]]
    said["attack_modes"] = [search.get("mode", "adaptive")]
    said["criterion"] = "full" if search.get("criterion") == "full" else "worst-case"
    said["attack_precision"] = search.get("precision", "float32")
    said["attack_components"] = [component]
    # What is attacked is a sample of its own; originals are evaluated beside it all the same.
    said["samples"] = {**samples, "test": evaluation["samples"], "attack": evaluation["samples"]}
    return said


def _cut(components: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Decomposition and rescaling, which a block has one of."""
    cuts = [
        {"decomposition": _named(item["decomposition"]), "rescaling": item["rescaling"]}
        for item in components
        if item.get("decomposition") is not None
    ]
    if any(cut != cuts[0] for cut in cuts):
        raise StoreError(
            "this model was trained on components of one decomposition and evaluated on another's, "
            "which a suite file cannot say"
        )
    return cuts[0] if cuts else {}


def _named(reference: Mapping[str, Any]) -> dict[str, JSON]:
    return {str(reference["name"]): dict(reference["parameters"])}
