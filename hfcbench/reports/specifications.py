"""What stored trainings were asked to be."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hfcbench.results.store import Store


def training_specifications(store: Store, identities: Iterable[str]) -> list[dict[str, Any]]:
    """The specifications of finished ones of these trainings, in the order of their identities."""
    # Identities are hexadecimal digits, whatever a database says.
    named = ", ".join(f"'{identity}'" for identity in identities if identity.isalnum())
    if not named:
        return []
    sql = f"SELECT specification FROM trainings WHERE identity IN ({named}) ORDER BY identity"
    return [json.loads(text) for (text,) in store.query(sql)[1]]
