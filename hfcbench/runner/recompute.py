"""From a stored specification back to a suite that computes just this result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml

from hfcbench.errors import StoreError
from hfcbench.types import JSON

if TYPE_CHECKING:
    from hfcbench.results.queries.provenance import Provenance


def suite_text(provenance: Provenance) -> str:
    """A suite file for a stored training, with the evaluation or analysis if it is one.

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
    }
    components = [training["component"]]
    finding = provenance.finding
    if finding is not None and finding.scores:
        block["metrics"] = sorted({score["metric"] for score in finding.scores})
    if finding is not None:
        found = finding.row["specification"]
        block |= _circumstances(found)
        if provenance.kind == "analysis":
            block |= _analysed(found, block["samples"])
        else:
            components.append(found["component"])
            block |= _evaluated(found, str(finding.condition["component"]), block["samples"])
    block |= _cut(components)
    block["samples"] = {k: v for k, v in block["samples"].items() if v is not None}
    suite = {
        "title": f"Recomputes {provenance.kind} {provenance.identity}",
        "scale": training.get("scale", "full"),
        "blocks": [block],
    }
    return yaml.safe_dump(suite, sort_keys=False, allow_unicode=True)


def _circumstances(found: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a block that says under which defence and attack something is found out."""
    if found["split"] != "test":
        raise StoreError(f"a suite file cannot ask for split '{found['split']}'")
    defence = found["defence"]
    said: dict[str, Any] = {"defences": ["none" if defence is None else _named(defence)]}
    if found["attack"] is not None:
        said["attacks"] = [_named(found["attack"])]
        said["epsilons"] = [found["epsilon"]]
    return said


def _evaluated(
    evaluation: Mapping[str, Any], component: str, samples: Mapping[str, Any]
) -> dict[str, Any]:
    """The part of a block that says what is evaluated."""
    said = {**samples, "test": evaluation["samples"]}
    if evaluation["attack"] is None:
        return {"components": [component], "samples": said}
    # What is attacked is a sample of its own; originals are evaluated beside it all the same.
    # Results from before there was a choice took every step.
    search = evaluation.get("search", {"criterion": "full"})
    return {
        "epsilons": [*search.get("smaller_epsilons", ()), evaluation["epsilon"]],
        "attack_components": [component],
        "attack_modes": [search.get("mode", "adaptive")],
        "criterion": "full" if search["criterion"] == "full" else "worst-case",
        "attack_precision": search.get("precision", "float32"),
        "samples": {**said, "attack": evaluation["samples"]},
    }


def _analysed(analysis: Mapping[str, Any], samples: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a block that says what is analysed; nothing is evaluated beside it."""
    return {
        "analyses": [_named(analysis["analysis"])],
        "components": [],
        "attack_components": [],
        "samples": {**samples, "analysis": analysis["samples"]},
    }


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
