"""Which attacks models faced: by names that tell them apart, and which sets compare."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from hfcbench.results.queries.conditions import KnownCondition, attack_name, search_name
from hfcbench.results.queries.naming import SECTION

if TYPE_CHECKING:
    import pandas as pd


def attack_names(attacks: Collection[KnownCondition]) -> dict[int, str]:
    """Names that tell attacks apart whatever the model was defended with, by condition id.

    ``pgd@0.03``; ``transfer pgd@0.03 [full]`` where images were searched for in several ways.
    """
    versions: dict[str, set[str | None]] = {}
    for item in attacks:
        versions.setdefault(item.attack, set()).add(item.attack_version)
    plain = {
        item.condition_id: attack_name(item, several_versions=len(versions[item.attack]) > 1)
        for item in attacks
    }
    searches: dict[str, set[str]] = {}
    for item in attacks:
        searches.setdefault(plain[item.condition_id], set()).add(search_name(item))
    return {
        item.condition_id: name + (f" [{search_name(item)}]" if len(searches[name]) > 1 else "")
        for item, name in ((item, plain[item.condition_id]) for item in attacks)
    }


def faced_alike(rows: pd.DataFrame, attacks: Collection[KnownCondition]) -> list[str]:
    """Of each row, what it faced: equal for rows that compare in this.

    An undefended model is attacked alike in every mode, so that one is counted as having faced
    those modes of its attacks that other rows with its images faced.
    """
    names = attack_names(attacks)
    of = {names[item.condition_id]: item for item in attacks}
    together = [tuple(row) for row in rows[[*SECTION, "images"]].itertuples(index=False)]
    others: dict[tuple[Any, ...], set[str]] = {}
    for key, faced in zip(together, rows["attacks"], strict=True):
        modes = {name for name in faced if of[name].attack_mode not in (None, "adaptive")}
        others.setdefault(key, set()).update(modes)
    found = []
    for key, faced, defence in zip(together, rows["attacks"], rows["defence"], strict=True):
        mine = {_but_for_mode(of[name]) for name in faced}
        same = {name for name in others[key] if _but_for_mode(of[name]) in mine}
        found.append(", ".join(sorted({*faced, *(same if defence == "none" else ())})))
    return found


def _but_for_mode(item: KnownCondition) -> tuple[str, str | None, float | None]:
    return item.attack, item.attack_version, item.epsilon
