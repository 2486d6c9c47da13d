"""All checks, in the order in which a reader wants them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from hfcbench.diagnosis.checks import Check
from hfcbench.diagnosis.privacy import public
from hfcbench.errors import HfcbenchError
from hfcbench.plugins import Plugins
from hfcbench.results.database.location import DatabaseLocation


@dataclass(frozen=True)
class Places:
    """Where hfcbench reads and writes.

    Attributes:
        database: a file or a server.
        artifacts: the folder of checkpoints.
        cache: the folder of decoded images.
    """

    database: DatabaseLocation
    artifacts: Path
    cache: Path


def examine(places: Places, load_plugins: Callable[[], Plugins]) -> Iterator[Check]:
    """Look at everything, a check at a time; none of them changes anything.

    What the checks say holds no passwords, and ``~`` for the user's home folder.
    """
    from hfcbench.diagnosis.database import database_checks
    from hfcbench.diagnosis.devices import device_checks
    from hfcbench.diagnosis.disk import disk_checks
    from hfcbench.diagnosis.extensions import plugin_checks
    from hfcbench.diagnosis.versions import version_checks

    sections: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
        ("versions", partial(version_checks, importlib.import_module)),
        ("devices", device_checks),
        ("disk", partial(disk_checks, places)),
        ("plugins", partial(plugin_checks, load_plugins)),
        ("database", partial(database_checks, places.database)),
    )
    for section, checks in sections:
        for check in _guarded(section, checks):
            mend = None if check.mend is None else public(check.mend)
            yield replace(check, said=public(check.said), mend=mend)


def _guarded(section: str, checks: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """The checks of a section; one that cannot be made is a failure, and the others go on."""
    try:
        yield from checks()
    except HfcbenchError as error:
        yield Check(section, "check", "fail", error.what, error.hint)
    except Exception as error:
        # Broken installations raise anything, and this is the command that has to tell of them.
        said = f"it could not be examined: {type(error).__name__}: {error}"
        yield Check(section, "check", "fail", said, "report it with all that is shown here")
