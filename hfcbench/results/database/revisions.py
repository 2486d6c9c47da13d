"""The schema's revisions, known without importing Alembic."""

from __future__ import annotations

from hfcbench.errors import StoreError

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Every revision, oldest first; the last is the one that this hfcbench reads and writes."""


def is_current(found: str, place: str) -> bool:
    """Whether a database has the newest revision; False for an older one.

    Raises:
        StoreError: the revision is not known here: a newer hfcbench made the database.
    """
    if found not in REVISIONS:
        raise StoreError(
            f"the database {place} has schema revision {found}, made by a newer hfcbench; "
            f"this one knows revisions up to {REVISIONS[-1]}",
            hint="update hfcbench: pip install --upgrade hfcbench",
        )
    return found == REVISIONS[-1]
