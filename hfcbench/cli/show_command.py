"""`hfcbench show ID`: where a number comes from."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from hfcbench.cli.options import database_option
from hfcbench.cli.tables import json_text, printable

if TYPE_CHECKING:
    from hfcbench.results.queries.provenance import Provenance

_NOT_SHOWN = ("specification", "digest")
_SUITE_FORMAT = "suite"


@click.command(short_help="Tell where a number comes from.")
@click.argument("identity", metavar="ID")
@database_option
@click.option(
    "--format",
    "output_format",
    type=click.Choice(("text", "json", _SUITE_FORMAT)),
    default="text",
    show_default=True,
    help="suite: the suite file that computes it again.",
)
def command(identity: str, db: str, output_format: str) -> None:
    """Show everything that is known of a training or an evaluation.

    ID is the beginning of its identity, as the leaderboard shows it.
    """
    from hfcbench.results.opening import open_store

    with open_store(db, read_only=True) as store:
        provenance = store.provenance(identity)
        intervals = (
            store.intervals(provenance.identity).to_dict("records")
            if provenance.kind == "evaluation" and output_format == "text"
            else []
        )
    if output_format == "json":
        click.echo(json_text(_document(provenance), indent=2, default=_text))
    elif output_format == _SUITE_FORMAT:
        from hfcbench.runner.recompute import suite_text

        click.echo(suite_text(provenance), nl=False)
    else:
        for line in _lines(provenance, intervals, db):
            click.echo(printable(line, keep="\n"))


def _document(provenance: Provenance) -> dict[str, Any]:
    return {
        name: getattr(provenance, name)
        for name in provenance.__dataclass_fields__
        if getattr(provenance, name) is not None
    }


def _lines(
    provenance: Provenance, intervals: Sequence[Mapping[Any, Any]], db: str
) -> Iterator[str]:
    yield f"{provenance.kind} {provenance.identity}"
    for score in provenance.scores:
        interval = f"[{score['low']}, {score['high']}], n = {score['n']}"
        yield f"  {score['metric']} (version {score['version']}) = {score['value']!r} {interval}"
    if intervals:
        yield "\nfrom the stored predictions, 95% intervals"
        for item in intervals:
            ends = f"[{item['low']:.4f}, {item['high']:.4f}]"
            yield f"  {item['of']} = {item['value']:.4f} {ends} ({item['interval']})"
    trained_by = provenance.training_run
    if (
        provenance.evaluation_run is not None
        and provenance.evaluation_run["uuid"] == trained_by["uuid"]
    ):
        trained_by = {"uuid": f"{trained_by['uuid']}, the same run"}
    sections: list[tuple[str, Mapping[str, Any] | None]] = [
        ("condition", provenance.condition),
        ("evaluation", provenance.evaluation),
        ("computed by run", provenance.evaluation_run),
        ("training", provenance.training),
        ("trained by run", trained_by),
        ("dataset", provenance.dataset),
        ("checkpoint", provenance.checkpoint),
    ]
    for heading, row in sections:
        if row is None:
            continue
        yield f"\n{heading}"
        for name, value in row.items():
            if not name.endswith("_id") and name not in _NOT_SHOWN and value is not None:
                yield f"  {name}: {_text(value)}"
    if provenance.evaluations:
        yield "\nevaluations"
        for row in provenance.evaluations:
            found = f"top1 {row['top1']}, n = {row['n']}"
            yield f"  {row['identity'][:12]}  {row['condition']}: {found}"
    for second in provenance.disagreements:
        yield f"\nanother result of this {second['kind']}: {printable(second['summary'])}"
    if provenance.evaluation is not None:
        yield "\nspecification of the evaluation"
        yield _text(provenance.evaluation["specification"])
    yield "\nspecification of the training"
    yield _text(provenance.training["specification"])
    yield from _commands(provenance, db)


def _commands(provenance: Provenance, db: str) -> Iterator[str]:
    given = "" if db == "results.db" else f" --db {shlex.quote(db)}"
    short = provenance.identity[:12]
    yield "\nrecompute it and compare:"
    yield f"  hfcbench verify {short}{given}"
    yield "compute it anew, into a database of its own:"
    yield (
        f"  hfcbench show {short}{given} --format suite > {short}.yaml && "
        f"hfcbench run --suite {short}.yaml --db {short}.db"
    )


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json_text(value, sort_keys=True)
    return printable(str(value))
