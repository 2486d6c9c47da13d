"""From a location to an engine on a database of the right schema."""

from __future__ import annotations

from sqlalchemy import Engine

from hfcbench.errors import StoreError
from hfcbench.results.database import revisions
from hfcbench.results.database.engine import make_engine
from hfcbench.results.database.explanations import explained
from hfcbench.results.database.inspection import revision_of
from hfcbench.results.database.location import DatabaseLocation


def ready_engine(
    location: DatabaseLocation, *, create: bool, read_only: bool, busy_timeout_seconds: float
) -> Engine:
    """Connect, and create or upgrade the schema where that is asked for and needed.

    Raises:
        StoreError: see :func:`hfcbench.results.opening.open_store`.
    """
    if create and location.path is not None and not location.path.exists():
        _migrate(location, busy_timeout_seconds)
    with explained(location):
        engine = make_engine(
            location, read_only=read_only, busy_timeout_seconds=busy_timeout_seconds
        )
        try:
            with engine.connect() as connection:
                found = revision_of(connection, location)
            ready = _is_ready(found, location, create=create, read_only=read_only)
        except BaseException:
            engine.dispose()
            raise
    if not ready:
        engine.dispose()
        _migrate(location, busy_timeout_seconds)
    return engine


def _is_ready(
    found: str | None, location: DatabaseLocation, *, create: bool, read_only: bool
) -> bool:
    """Whether a database can be used as it is; False where it must be created or upgraded."""
    if found is None:
        if create:
            return False
        raise StoreError(
            f"the database {location} is empty",
            hint="run a suite to fill it (hfcbench run --db ...), or name another one with --db",
        )
    if revisions.is_current(found, str(location)):
        return True
    if read_only:
        raise StoreError(
            f"the database {location} has schema revision {found}, and this hfcbench reads "
            f"{revisions.REVISIONS[-1]}",
            hint="open it for writing once, as `hfcbench run` does: it is copied and upgraded",
        )
    return False


def _migrate(location: DatabaseLocation, busy_timeout_seconds: float) -> None:
    # Alembic is slow to import, and a database that is up to date does not need it.
    from hfcbench.results.database.migrating import create_or_upgrade

    create_or_upgrade(location, busy_timeout_seconds=busy_timeout_seconds)
