"""Reading a study: the plan of a suite, and what the database holds of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hfcbench.references import parse_label
from hfcbench.registry import Registry
from hfcbench.reports.picture_results import stored_pictures
from hfcbench.reports.stored_datasets import StoredDatasets
from hfcbench.reports.study import StudiedQuantity, Study
from hfcbench.runner.expansion import expand
from hfcbench.runner.plan import Plan, curve_keys, make_plan
from hfcbench.runner.recording import label_of
from hfcbench.runner.specification import ComponentSpecification, TrainingSpecification
from hfcbench.runner.suite_search import suite_files
from hfcbench.types import DataLocation

if TYPE_CHECKING:
    import pandas as pd

    from hfcbench.results.store import Store

# Attacks that do not know the defence; adaptive ones need no word.
_NAMED_MODES = ("transfer", "oblivious")
_OF_TRAINING = ("training", "dataset", "model", "heuristics", "trained_on", "seed")


def read_study(
    store: Store,
    registry: Registry,
    suite: str,
    overrides: Sequence[tuple[Any, Any]] = (),
    *,
    command: str,
    location: DataLocation | None = None,
) -> Study:
    """What a database holds of a suite; neither images nor checkpoints are needed.

    The study reads single answers and pictures when they are asked for: keep the store open as
    long. Only pictures need their dataset, at ``location``.

    Args:
        suite: a name, or the path of a YAML file; one with blocks of its own.
        overrides: as for running it.
        command: what would run it, for messages.
        location: where datasets with paths would lie.

    Raises:
        SpecificationError: there is no such suite, or it cannot be run.
        DataError: the database does not know its dataset.
    """
    datasets = StoredDatasets(store, location or DataLocation(), command)
    files = suite_files(suite, overrides, registry)
    plan = make_plan(suite, [item for file in files for item in expand(file, registry, datasets)])
    identities = [node.training.identity for node in plan.nodes]
    done = set(store.trainings(identities))
    scores = _scores(store, plan, sorted(done))
    quantities = _quantities(store, plan)
    analysed = {item.identity for node in plan.nodes for item in node.analyses}
    evaluated = len(set(scores["evaluation"]))
    missing = (
        (len(plan.nodes) - len(done))
        + (plan.evaluation_count - evaluated)
        + len(analysed - store.analyses_done(sorted(analysed)))
    )
    return Study(
        suite=files[0].name,
        scale=files[0].suite.scale,
        trainings=_trainings(plan, done),
        curves=_curves(store, plan, sorted(done)),
        scores=scores,
        quantities=quantities,
        missing=missing,
        command=command,
        classes=_classes(store, plan),
        attacks=_attacks(plan),
        answers=store.answers,
        fingerprints={
            node.training.dataset.title: node.training.dataset.fingerprint for node in plan.nodes
        },
        pictures=stored_pictures(store, plan, registry, datasets.location),
    )


def _of_training(training: TrainingSpecification) -> dict[str, Any]:
    return {
        "training": training.identity,
        "dataset": training.dataset.title,
        "model": training.model.label,
        "heuristics": training.heuristics_label,
        "trained_on": training.component.label,
        "seed": training.seed,
    }


def _classes(store: Store, plan: Plan) -> dict[str, tuple[str, ...]]:
    """The class names of the plan's datasets, by title."""
    planned = {
        (node.training.dataset.title, node.training.dataset.fingerprint) for node in plan.nodes
    }
    return {
        record.name: record.description.classes
        for record in store.datasets()
        if (record.name, record.fingerprint) in planned
    }


def _trainings(plan: Plan, done: set[str]) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {
            **_of_training(node.training),
            "epochs": node.training.schedule.epochs,
            "done": node.training.identity in done,
        }
        for node in plan.nodes
    ]
    return pd.DataFrame(rows)


def _curves(store: Store, plan: Plan, done: Sequence[str]) -> pd.DataFrame:
    """The curves that the plan asks for, of those that are stored."""
    import numpy as np

    nodes = {node.training.identity: node for node in plan.nodes}
    frame = store.curves(trainings=done, limit=None)
    wanted = {(identity, *key) for identity in done for key in curve_keys(nodes[identity])}
    columns = frame[["training", "split", "component", "decomposition", "rescaling", "n"]]
    # What the database leaves empty is None here, whatever pandas made of it.
    keys = columns.astype(object).where(columns.notna(), None).itertuples(index=False, name=None)
    # A plain list would choose columns where there are no rows.
    planned = np.array([key in wanted for key in keys], dtype=bool)
    frame = frame[planned].reset_index(drop=True)
    parts = {
        component.label: (component.part, _number(component))
        for node in plan.nodes
        for component in node.curve.components
    }
    frame["part"] = [parts[label][0] for label in frame["component"]]
    frame["cutoff"] = [parts[label][1] for label in frame["component"]]
    names = ("epoch", "split", "component", "part", "cutoff", "metric", "value", "n")
    return frame[[*_OF_TRAINING, *names]]


def _number(component: ComponentSpecification) -> float:
    cutoff = component.cutoff
    if cutoff is None:
        return float("nan")
    return cutoff[1] if isinstance(cutoff, tuple) else cutoff


def _scores(store: Store, plan: Plan, done: Sequence[str]) -> pd.DataFrame:
    wanted = {item.identity for node in plan.nodes for item in node.evaluations}
    frame = store.evaluations(trainings=done, limit=None)
    frame = frame[frame["evaluation"].isin(wanted)].reset_index(drop=True)
    modes = zip(frame["attack"], frame["attack_mode"], strict=True)
    frame["attack"] = [
        f"{mode} {attack}" if mode in _NAMED_MODES else attack for attack, mode in modes
    ]
    names = ("evaluation", "split", "defence", "attack", "epsilon", "component", "part", "cutoff")
    more = ("decomposition", "rescaling", "metric", "value", "low", "high", "n")
    return frame[[*_OF_TRAINING, *names, *more]]


def _attacks(plan: Plan) -> tuple[tuple[str, float], ...]:
    found = [
        (item.attack.label, item.epsilon)
        for node in plan.nodes
        for item in node.evaluations
        if item.attack is not None
        and item.epsilon is not None
        and item.component.part == "original"
        and (item.search is None or item.search.mode not in _NAMED_MODES)
    ]
    return tuple(dict.fromkeys(found))


def _quantities(store: Store, plan: Plan) -> tuple[StudiedQuantity, ...]:
    planned = {item.identity: item for node in plan.nodes for item in node.analyses}
    found = store.quantities(list(planned))
    return tuple(
        StudiedQuantity(
            **_of_training(item.training),
            analysis=item.analysis.label,
            analysis_name=parse_label(item.analysis.label)[0],
            defence=label_of(item.defence),
            attack=label_of(item.attack),
            epsilon=item.epsilon,
            quantity=quantity,
        )
        for identity, item in planned.items()
        for quantity in found.get(identity, ())
    )
