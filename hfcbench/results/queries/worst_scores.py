"""The worst score of each model over the attacks that it is held against."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from hfcbench.results.queries.conditions import KnownCondition

if TYPE_CHECKING:
    import pandas as pd

Place: TypeAlias = tuple[int, int, int]
"""A score: training_id, condition_id and its number of images."""

_KEYS = ["training_id", "state"]
_CONTENT = ["dataset", "fingerprint", "scale"]


def on_most_images(attacked: pd.DataFrame) -> pd.DataFrame:
    """Of each model in each state, the attacks on the largest number of images: those compare."""
    most = attacked.groupby(_KEYS)["n"].transform("max")
    return attacked[attacked["n"] == most]


def worst_scores(
    attacked: pd.DataFrame,
    conditions: Mapping[int, KnownCondition],
    names: Mapping[int, str],
    trainings: pd.DataFrame,
    *,
    lower_is_better: bool,
    doubted: Collection[Place] = (),
) -> pd.DataFrame:
    """The worst score by training_id and state, with ``n`` and whether it is ``in_doubt``.

    It is unknown (NaN) where a score is no number, and unless a model faced every attack that any
    comparable one did: it must not look better for having been attacked less. Undefended models
    face what knows everything; there is nothing for other modes not to know. The worst score is in
    doubt if it is flagged; flags of others do not matter, since those do not decide.

    Args:
        attacked: training_id, state, condition_id, n and value of scores under attack.
        conditions: of these scores, by id.
        names: of the conditions' columns, by id; a model faced a column, whichever its state.
        trainings: by ``training_id``.
        doubted: flagged scores.
    """
    import pandas as pd

    models = _models(on_most_images(attacked), conditions, names, doubted)
    content = trainings.loc[list({key[0] for key in models}), _CONTENT]
    of = dict(zip(content.index, content.itertuples(index=False, name=None), strict=True))
    faced: dict[tuple[Any, ...], dict[str, bool]] = {}
    for (training_id, _), model in models.items():
        columns = faced.setdefault((*of[training_id], *model.compared), {})
        for column, condition in model.conditions.items():
            columns[column] = condition.is_adaptive
    rows = []
    for (training_id, _), model in models.items():
        adaptive = faced[(*of[training_id], *model.compared)]
        wanted = len(adaptive) if model.is_defended else sum(adaptive.values())
        rows.append(model.worst(wanted, lower_is_better=lower_is_better))
    index = pd.MultiIndex.from_tuples(list(models), names=_KEYS)
    return pd.DataFrame(rows, index=index, columns=["value", "n", "in_doubt"])


@dataclass
class _Model:
    """A model in a state, with its scores by column; of equal conditions the last one counts."""

    n: int
    conditions: dict[str, KnownCondition] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    flagged: set[str] = field(default_factory=set)

    @property
    def compared(self) -> tuple[str, str]:
        """What models must share to be held against each other, beside their data."""
        some = next(iter(self.conditions.values()))
        return some.procedure, some.split

    @property
    def is_defended(self) -> bool:
        return next(iter(self.conditions.values())).defence != "none"

    def worst(self, wanted: int, *, lower_is_better: bool) -> tuple[float, int, bool]:
        """The worst score, the number of images, and whether it is in doubt."""
        known = [value for value in self.values.values() if not math.isnan(value)]
        if len(known) < len(self.values) or len(known) < wanted:
            return math.nan, self.n, False
        value = max(known) if lower_is_better else min(known)
        decides = {column for column, own in self.values.items() if own == value}
        return value, self.n, decides <= self.flagged


def _models(
    attacked: pd.DataFrame,
    conditions: Mapping[int, KnownCondition],
    names: Mapping[int, str],
    doubted: Collection[Place],
) -> dict[tuple[int, str], _Model]:
    models: dict[tuple[int, str], _Model] = {}
    columns = [attacked[name].tolist() for name in (*_KEYS, "condition_id", "n", "value")]
    for training_id, state, condition_id, n, value in zip(*columns, strict=True):
        model = models.get((training_id, state))
        if model is None:
            model = models[training_id, state] = _Model(n)
        column = names[condition_id]
        model.conditions[column] = conditions[condition_id]
        model.values[column] = value
        if (training_id, condition_id, n) in doubted:
            model.flagged.add(column)
        else:
            model.flagged.discard(column)
    return models
