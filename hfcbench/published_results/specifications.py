"""Whether specifications say all that decides their results, and rows say the same."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

from hfcbench.attack_types import Search
from hfcbench.results.database.sqlite_files import file_uri
from hfcbench.results.transfer.problems import Problem
from hfcbench.types import Schedule

_REFERENCE = frozenset({"name", "version", "parameters"})
_TRAINING = frozenset(
    {
        *("kind", "procedure", "dataset", "component", "model"),
        *("heuristics", "schedule", "seed", "samples"),
    }
)
_OF_CHECKPOINT = frozenset(
    {"kind", "procedure", "training", "defence", "attack", "epsilon", "split", "samples"}
)
_PART = frozenset({"part", "cutoff", "decomposition", "rescaling"})
_SCHEDULE = frozenset(field.name for field in fields(Schedule)) - {"precision"}
_SEARCH = frozenset(field.name for field in fields(Search))


def specification_problems(path: Path) -> Iterator[Problem]:
    """What is missing from specifications, and rows that say something else than theirs."""
    with closing(sqlite3.connect(file_uri(path, "ro"), uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        for row in connection.execute(_TRAININGS):
            yield from _problems(f"training {row['identity'][:12]}", row, _of_training)
        for row in connection.execute(_SCORES):
            yield from _problems(f"evaluation {row['identity'][:12]}", row, _of_evaluation)
        for row in connection.execute("SELECT * FROM analyses"):
            yield from _problems(f"analysis {row['identity'][:12]}", row, _of_analysis)


_TRAININGS = """
SELECT trainings.*, datasets.name AS dataset, datasets.version AS dataset_version, runs.device_name,
       runs.hfcbench_version, runs.torch_version
FROM trainings JOIN datasets USING (dataset_id) JOIN runs USING (run_id)
"""
_SCORES = """
SELECT DISTINCT evaluations.identity, evaluations.specification, conditions.*
FROM scores JOIN evaluations USING (evaluation_id)
JOIN conditions ON conditions.condition_id = evaluations.condition_id
"""


def _problems(where: str, row: sqlite3.Row, find: Any) -> Iterator[Problem]:
    try:
        document = json.loads(row["specification"])
        whats = list(find(row, document))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        whats = [f"its specification cannot be read: {type(error).__name__}: {error}"]
    for what in whats:
        yield Problem(where, what)


def _of_training(row: sqlite3.Row, document: Mapping[str, Any]) -> Iterator[str]:
    yield from _lacking("its specification", document, _TRAINING)
    yield from _lacking("its dataset", document["dataset"], {"name", "version", "fingerprint"})
    yield from _lacking("its schedule", document["schedule"], _SCHEDULE)
    for reference in (document["model"], *document["heuristics"]):
        yield from _lacking("its model or heuristic", reference, _REFERENCE)
    yield from _of_component(document["component"])
    said = {
        "seed": document["seed"],
        "epochs": document["schedule"]["epochs"],
        "scale": document.get("scale", "full"),
        "model_version": document["model"]["version"],
        "dataset_version": document["dataset"]["version"],
    }
    yield from _other(row, said)
    for column in ("device", "hfcbench_version", "torch_version"):
        if not row[column]:
            yield f"its run does not say {column}"


def _of_evaluation(row: sqlite3.Row, document: Mapping[str, Any]) -> Iterator[str]:
    yield from _lacking("its specification", document, _OF_CHECKPOINT | {"component"})
    yield from _of_component(document["component"])
    yield from _of_references(document)
    if document["attack"] is not None:
        yield from _lacking("its search", document.get("search") or {}, _SEARCH)
    said = {"split": document["split"], "epsilon": document["epsilon"]}
    said["procedure"] = document["procedure"]
    said["part"] = document["component"]["part"]
    said["rescaling"] = document["component"].get("rescaling")
    for kind in ("defence", "attack"):
        reference = document[kind]
        said[f"{kind}_version"] = None if reference is None else reference["version"]
        if (reference is None) != (row[kind] == "none"):
            yield f"its specification and its row have another {kind}"
    yield from _other(row, said)


def _of_analysis(row: sqlite3.Row, document: Mapping[str, Any]) -> Iterator[str]:
    yield from _lacking("its specification", document, _OF_CHECKPOINT | {"analysis"})
    yield from _lacking("its analysis", document["analysis"], _REFERENCE)
    yield from _of_references(document)
    said = {"split": document["split"], "epsilon": document["epsilon"]}
    yield from _other(row, said | {"analysis_version": document["analysis"]["version"]})


def _of_references(document: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("defence", "attack"):
        if document[kind] is not None:
            yield from _lacking(f"its {kind}", document[kind], _REFERENCE)
    if (document["attack"] is None) != (document["epsilon"] is None):
        yield "it has an attack without an epsilon, or an epsilon without an attack"


def _of_component(component: Mapping[str, Any]) -> Iterator[str]:
    if component.get("part") == "original":
        return
    yield from _lacking("its component", component, _PART)
    yield from _lacking("its decomposition", component.get("decomposition") or {}, _REFERENCE)


def _lacking(
    what: str, document: Mapping[str, Any], wanted: frozenset[str] | set[str]
) -> Iterator[str]:
    missing = sorted(wanted - document.keys())
    if missing:
        yield f"{what} does not say {', '.join(missing)}"


def _other(row: sqlite3.Row, said: Mapping[str, Any]) -> Iterator[str]:
    for column, value in said.items():
        if row[column] != value:
            yield f"its {column} is {row[column]!r}, and its specification says {value!r}"
