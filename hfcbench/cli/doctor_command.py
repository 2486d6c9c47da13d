"""`hfcbench doctor`: what works and what does not, for bug reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import click

from hfcbench.cli.console import plain_console
from hfcbench.cli.main import EXIT_FAILED
from hfcbench.cli.options import artifacts_option, cache_option, database_option
from hfcbench.cli.tables import json_text, printable
from hfcbench.diagnosis import Check, Places, State, examine
from hfcbench.plugins import load_plugins

_STYLES: dict[State, str] = {"ok": "green", "warn": "yellow", "fail": "bold red"}
_NAME_WIDTH = 21


@click.command(short_help="Tell what works and what does not.")
@database_option
@artifacts_option
@cache_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(db: str, artifacts: Path | None, cache_dir: Path, as_json: bool) -> int:
    """Examine devices, versions, disk space, plugins and the database; nothing is changed.

    Each line is ok, warn or fail, with what mends it; exit code 1 says that something failed. All
    of it can go into a bug report: passwords are masked, and ~ stands for your home folder.
    """
    from hfcbench.results.database.location import parse_location

    location = parse_location(db)
    beside = Path() if location.path is None else location.path.parent
    places = Places(location, artifacts or beside / "checkpoints", cache_dir)
    found: list[Check] = []
    checks = _kept(examine(places, load_plugins), found)
    if as_json:
        click.echo(json_text([asdict(check) for check in checks], indent=2))
    else:
        _print(checks)
        _print_verdict(found)
    return EXIT_FAILED if any(check.state == "fail" for check in found) else 0


def _kept(checks: Iterable[Check], found: list[Check]) -> Iterator[Check]:
    for check in checks:
        found.append(check)
        yield check


def _print(checks: Iterable[Check]) -> None:
    """Each line as soon as it is known: importing torch takes seconds."""
    from rich.text import Text

    console = plain_console()
    section = ""
    for check in checks:
        if check.section != section:
            section = check.section
            console.print(Text(section, "bold"))
        said = " ".join(printable(check.said, keep="\n").split())
        state = Text(f"  {check.state:<5}", _STYLES[check.state])
        console.print(
            state + Text(f"{printable(check.name):<{_NAME_WIDTH}} {said}"), soft_wrap=True
        )
        if check.mend is not None:
            console.print(
                Text(f"       {'':<{_NAME_WIDTH}} {printable(check.mend)}", "bold"), soft_wrap=True
            )


def _print_verdict(found: list[Check]) -> None:
    count = {state: sum(check.state == state for check in found) for state in _STYLES}
    click.echo(f"{count['ok']} ok, {count['warn']} warnings, {count['fail']} failures")
