"""The study's two main questions over all models: LFC against original, and robustness."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hfcbench.results.queries import facts
from hfcbench.results.queries.conditions import (
    KnownCondition,
    column_names,
    known_conditions,
    known_metric,
)
from hfcbench.results.queries.reliability import flags
from hfcbench.results.queries.where import Filter

if TYPE_CHECKING:
    import pandas as pd

_MODEL = (
    *("dataset", "fingerprint", "scale", "model", "heuristics", "trained_on", "seed"),
    *("procedure", "split", "defence", "defence_version"),
)
_SEARCH = ("attack_norm", "criterion", "attack_mode", "attack_precision", "smaller_epsilons")
_CUT = ("decomposition", "decomposition_version", "rescaling", "cutoff_inner", "cutoff")
_KEYS = ["training_id", "state"]


def against_original(
    connection: Connection,
    where: Filter,
    *,
    metric: str,
    parts: Sequence[str],
    cutoff: float | None,
    pivot: bool,
) -> pd.DataFrame:
    """What is left of a score on components; see ``Store.components_against_original``."""
    known = _known(connection, where)
    clean = [item for item in known if not item.is_attacked]
    components = [
        item for item in clean if item.part in parts and (cutoff is None or item.cutoff == cutoff)
    ]
    originals = [item for item in clean if item.is_original]
    tidy = _beside(connection, where, metric, originals, components, on=[*_KEYS, "n"])
    tidy = tidy.rename(columns={"base": "original"})
    tidy["gap"] = tidy["original"] - tidy["value"]
    columns = [*_MODEL, *_CUT, "part", "component", "n", "original", "value", "gap", "training"]
    if not pivot:
        return tidy[columns]
    return _pivoted(tidy, [*_CUT[:3], "n", "original", "training"], "component")


def robustness(
    connection: Connection,
    where: Filter,
    *,
    metric: str,
    attack: str | None,
    epsilon: float | None,
    pivot: bool,
) -> pd.DataFrame:
    """What is left of a score under attack; see ``Store.robustness``."""
    known = _known(connection, where)
    attacked = [
        item
        for item in known
        if item.is_attacked
        and item.cut is None
        and epsilon in (None, item.epsilon)
        and attack in (None, item.attack, item.attack.partition("(")[0])
    ]
    originals = [item for item in known if item.is_original]
    tidy = _beside(connection, where, metric, originals, attacked, on=_KEYS)
    tidy = tidy.rename(columns={"base": "clean"})
    tidy["drop"] = tidy["clean"] - tidy["value"]
    names = column_names(attacked)
    tidy["attacked_by"] = [names[number] for number in tidy["condition_id"]]
    places = list(zip(tidy["training_id"], tidy["condition_id"], tidy["n"], strict=True))
    everything = known_conditions(connection)
    found = flags(connection, everything, set(tidy["training_id"]), set(tidy["condition_id"]))
    tidy["flags"] = [", ".join(found.get(place, ())) for place in places]
    columns = ["attack", "attack_version", "epsilon", *_SEARCH, "n", "clean", "value", "drop"]
    if not pivot:
        return tidy[[*_MODEL, *columns, "flags", "training"]]
    return _pivoted(tidy, ["n", "clean", "training"], "attacked_by")


def _known(connection: Connection, where: Filter) -> list[KnownCondition]:
    allowed = facts.condition_ids_where(connection, where.clause())
    return [item for item in known_conditions(connection) if item.condition_id in allowed]


def _beside(
    connection: Connection,
    where: Filter,
    metric: str,
    bases: Iterable[KnownCondition],
    others: Iterable[KnownCondition],
    on: list[str],
) -> pd.DataFrame:
    """Each score under the other conditions with its model's score under the base condition."""
    import pandas as pd

    counted = known_metric(connection, metric)
    described = pd.DataFrame(
        [{**vars(item), "state": str(item.state)} for item in (*bases, *others)],
        columns=[*KnownCondition.__dataclass_fields__, "state"],
    ).set_index("condition_id")
    base_ids = {item.condition_id for item in bases}
    if counted is None:
        scores = pd.DataFrame({name: [] for name in ("training_id", "condition_id", "n", "value")})
    else:
        scores = facts.scores_under(connection, counted, list(described.index), where.clause())
    scores = scores.join(described, on="condition_id")
    is_base = scores["condition_id"].isin(base_ids)
    newest = scores[is_base].sort_values("n").drop_duplicates(on, keep="last")
    base = newest.set_index(on)["value"].rename("base").reset_index()
    tidy = scores[~is_base].merge(base, on=on)
    trainings = facts.trainings_where(connection)
    tidy = tidy.join(trainings, on="training_id")
    order = [*_MODEL, "cutoff", "attack", "attack_mode", "epsilon"]
    return tidy.sort_values(order, na_position="first").reset_index(drop=True)


def _pivoted(tidy: pd.DataFrame, more: Sequence[str], column: str) -> pd.DataFrame:
    """One row per model, a column of values for each component or attack."""
    index = [*_MODEL, *more]
    # Versions and rescalings that are missing are values like others here.
    filled = tidy.fillna(dict.fromkeys((*_MODEL, *_CUT[:3], "attack_version"), ""))
    order = list(dict.fromkeys(tidy.sort_values(["part", "cutoff", "epsilon"])[column]))
    newest = filled.drop_duplicates([*index, column], keep="last")
    wide = newest.pivot(index=index, columns=column, values="value")[order]
    wide.columns.name = None
    return wide.reset_index()
