"""From tidy scores to the leaderboard's rows: one per training and defence, a column per score."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hfcbench.results.queries.ranking import COMPARABLE, grouped, ranked

if TYPE_CHECKING:
    import pandas as pd

_MODEL = ("training", "split", "defence", "defence_version")
_PART = ("decomposition", "decomposition_version", "rescaling")
_PARTS = ("lfc", "hfc", "band", "rest")
_KEYS = ("model_key", "n", "part_key", "images_key")
_ORIGINAL = {"original": "value", "original_low": "low", "original_high": "high"}
_NAMES = ("model", "heuristics", "trained_on", "defence", "seed", "epochs")
_LAST = ("model_version", "defence_version", "training")
_LOWER_IS_BETTER = frozenset({"loss"})
_NO_PART = -1


def leaderboard_frame(
    scores: pd.DataFrame, *, metric: str, cutoff: float | None, sort: str, group: str | None
) -> pd.DataFrame:
    """Pivot and rank the scores of one metric, as ``Store.leaderboard`` describes.

    Args:
        scores: from :func:`hfcbench.results.queries.frames.evaluations_frame`.
        metric: which metric they are of.
        cutoff: show components of this radius or rank only.
        sort: the column to rank by.
        group: show the mean over rows that share this column.
    """
    import pandas as pd

    lower_is_better = metric in _LOWER_IS_BETTER
    scores = _with_keys(_newest(scores))
    clean = scores[scores["attack"] == "none"]
    attacked = _on_most_images(scores[scores["attack"] != "none"])
    parts = clean[clean["part_key"] != _NO_PART]
    if cutoff is not None:
        parts = parts[parts["cutoff"] == cutoff]
    originals = clean[clean["part_key"] == _NO_PART]
    rows = _rows(originals, parts)
    columns = {
        name: _look_up(rows, _KEYS[:2], originals, column) for name, column in _ORIGINAL.items()
    }
    columns |= _components(rows, parts)
    attacks = _attacks(rows, attacked)
    columns |= attacks
    columns["robust"] = _robust(rows, attacked, lower_is_better)
    measured = list(columns)
    columns["n_attacked"] = _attacked_images(rows, attacked)
    names = _names(rows, scores, parts)
    order = [*COMPARABLE, *_NAMES, *columns, *_LAST]
    frame = pd.DataFrame({"n": rows["n"], **names, **columns}, columns=order)
    if group is not None:
        frame = grouped(frame, group, measured)
    frame = ranked(frame, sort, measured, [*attacks, "robust"], lower_is_better=lower_is_better)
    return frame.assign(fingerprint=frame["fingerprint"].str[:12])


def _newest(scores: pd.DataFrame) -> pd.DataFrame:
    """One score per condition: of the newest metric version and the evaluation stored last."""
    if len(scores):
        newest = max(scores["metric_version"].unique(), key=_natural)
        scores = scores[scores["metric_version"] == newest]
    condition = [*_MODEL, "attack", "attack_version", "epsilon", "component", *_PART, "n"]
    return scores.drop_duplicates(condition, keep="last")


def _natural(version: str) -> list[tuple[int, str]]:
    """A key that puts version 10 behind version 9."""
    return [(int(digits or 0), other) for digits, other in re.findall(r"(\d+)|(\D+)", version)]


def _with_keys(scores: pd.DataFrame) -> pd.DataFrame:
    """Small integers instead of columns that may be missing: what a row, what its parts are of."""
    part_key = scores.groupby([*_PART], dropna=False).ngroup()
    return scores.assign(
        model_key=scores.groupby([*_MODEL], dropna=False).ngroup(),
        images_key=scores.groupby(["dataset", "fingerprint", "split"]).ngroup(),
        part_key=part_key.where(scores["decomposition"].notna(), _NO_PART),
    )


def _rows(originals: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """A row per model, decomposition and n; originals without any components have one too."""
    import pandas as pd

    of_parts = parts[[*_KEYS]].drop_duplicates()
    have_parts = pd.MultiIndex.from_frame(of_parts[["model_key", "n"]])
    keys = originals[[*_KEYS]].drop_duplicates()
    alone = ~pd.MultiIndex.from_frame(keys[["model_key", "n"]]).isin(have_parts)
    return pd.concat([of_parts, keys[alone]], ignore_index=True)


def _with_only_part(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows without components join the one decomposition that others of the same images have.

    Nothing contradicts it; where there are several, there is no telling which.
    """
    others = rows[rows["part_key"] != _NO_PART].groupby(["images_key", "n"])["part_key"]
    only = others.first()[others.nunique() == 1].rename("part_key").reset_index()
    adopted = rows[["images_key", "n"]].merge(only, how="left")["part_key"].fillna(_NO_PART)
    alone = rows["part_key"] == _NO_PART
    return rows.assign(part_key=rows["part_key"].mask(alone, adopted).astype("int64"))


def _look_up(rows: pd.DataFrame, keys: Sequence[str], source: pd.DataFrame, column: str) -> Any:
    """For each row the source's value of equal keys, or NaN."""
    import pandas as pd

    if len(keys) == 1:
        return source.set_index(keys[0])[column].reindex(rows[keys[0]]).to_numpy()
    values = source.set_index([*keys])[column]
    return values.reindex(pd.MultiIndex.from_frame(rows[[*keys]])).to_numpy()


def _components(rows: pd.DataFrame, parts: pd.DataFrame) -> dict[str, Any]:
    """A column per component: those of the low part by cutoff, then those of the high part."""
    described = parts[["component", "part", "cutoff_inner", "cutoff"]].drop_duplicates("component")
    known = {part: position for position, part in enumerate(_PARTS)}
    described = described.assign(position=described["part"].map(known))
    order = ["position", "part", "cutoff", "cutoff_inner"]
    described = described.sort_values(order, na_position="last")
    return {
        str(name): _look_up(rows, _KEYS[:3], parts[parts["component"] == name], "value")
        for name in described["component"]
    }


def _attacks(rows: pd.DataFrame, attacked: pd.DataFrame) -> dict[str, Any]:
    """A column such as ``fgsm@0.03`` per attack and epsilon.

    Attacked components are named ``lfc@8 under fgsm@0.03``; an attack of which there are several
    versions is named with its version.
    """
    versions = attacked.groupby("attack")["attack_version"].transform("nunique")
    columns = {}
    conditions = ["attack", "attack_version", "component", "epsilon"]
    attacked = attacked.assign(versioned=versions > 1)
    is_part = attacked["part_key"] != _NO_PART
    for components, keys in ((attacked[~is_part], _KEYS[:1]), (attacked[is_part], _KEYS[:3:2])):
        for _, chosen in components.groupby(conditions, dropna=False, sort=True):
            columns[_attack_name(chosen.iloc[0])] = _look_up(rows, keys, chosen, "value")
    return columns


def _on_most_images(attacked: pd.DataFrame) -> pd.DataFrame:
    """Of each model, only the attacks on the largest number of images: those compare."""
    most = attacked.groupby("model_key")["n"].transform("max")
    return attacked[attacked["n"] == most]


def _attack_name(score: Any) -> str:
    """What the column is called that shows this score."""
    attack, epsilon = str(score["attack"]), float(score["epsilon"])
    short = f"{epsilon:g}"
    strength = short if float(short) == epsilon else repr(epsilon)
    version = f" v{score['attack_version']}" if score["versioned"] else ""
    under = "" if score["component"] == "original" else f"{score['component']} under "
    return f"{under}{attack}{version}@{strength}"


def _robust(rows: pd.DataFrame, attacked: pd.DataFrame, lower_is_better: bool) -> Any:
    """The worst score on attacked originals."""
    values = attacked[attacked["part_key"] == _NO_PART].groupby("model_key")["value"]
    worst = values.max() if lower_is_better else values.min()
    # pandas skips NaN, but a score that is none cannot be said to be no worse than the others.
    worst = worst.where(values.count() == values.size())
    return worst.reindex(rows["model_key"]).to_numpy()


def _attacked_images(rows: pd.DataFrame, attacked: pd.DataFrame) -> Any:
    """How many images were attacked; 0 where there was no attack."""
    counts = attacked.groupby("model_key")["n"].max()
    return counts.reindex(rows["model_key"], fill_value=0).to_numpy()


def _names(rows: pd.DataFrame, scores: pd.DataFrame, parts: pd.DataFrame) -> dict[str, Any]:
    """What the keys stand for."""
    models = scores.drop_duplicates("model_key")
    names = {
        name: _look_up(rows, ["model_key"], models, name)
        for name in ("dataset", "fingerprint", "split", *_NAMES, *_LAST)
    }
    part_keys = _with_only_part(rows)
    of_parts = parts.drop_duplicates("part_key")
    return names | {name: _look_up(part_keys, ["part_key"], of_parts, name) for name in _PART}
