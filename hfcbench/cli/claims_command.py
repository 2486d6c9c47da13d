"""`hfcbench claims`: the paper's statements, each with effect, interval and verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hfcbench.cli.options import data_root_option, database_option, format_option
from hfcbench.cli.overrides import override_options, overrides_from, run_command
from hfcbench.cli.tables import print_rows
from hfcbench.errors import DataError, UsageError, nearest
from hfcbench.plugins import load_plugins
from hfcbench.types import DataLocation

if TYPE_CHECKING:
    from hfcbench.registry import Registry
    from hfcbench.reports.claims.checking import Finding
    from hfcbench.results.store import Store

_COLUMNS = (
    *("verdict", "claim", "effect", "low", "high", "compared", "seeds"),
    *("dataset", "model", "scale", "statement", "source", "command"),
)
_OF_A_TABLE = ("verdict", "claim", "effect [95% CI]", "compared", "seeds")


@click.command(short_help="Check the paper's statements.")
@click.argument("names", nargs=-1, metavar="[CLAIM]...")
@database_option
@format_option
@data_root_option
@override_options
def command(
    names: tuple[str, ...],
    db: str,
    output_format: str,
    data_root: Path | None,
    **options: Any,
) -> int:
    """Check the paper's statements against a results database: all of them, or the named ones.

    Each is supported, contradicted or undecided by the 95% interval of its effect, which is
    positive in its favour; where several effects count, the one that decides is shown.
    """
    from hfcbench.results.opening import open_store

    registry = load_plugins().registry
    with open_store(db, read_only=True) as store:
        findings = _findings(store, registry, names, db, options, DataLocation(data_root))
    if output_format == "table":
        _print_table(findings)
    else:
        print_rows(_COLUMNS, [_full(finding) for finding in findings], output_format)
    return 0


def _findings(
    store: Store,
    registry: Registry,
    names: Sequence[str],
    db: str,
    options: dict[str, Any],
    location: DataLocation,
) -> list[Finding]:
    from hfcbench.reports.claims.checking import check_statement, not_run
    from hfcbench.reports.claims.statements import STATEMENTS
    from hfcbench.reports.reading import read_study
    from hfcbench.reports.study import Study

    known = {statement.name: statement for statement in STATEMENTS}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no claim '{name}'; {nearest(name, known)}")
    studies: dict[str, Study | None] = {}
    findings: list[Finding] = []
    for statement in [known[name] for name in names] or STATEMENTS:
        run = run_command(statement.suite, db, options)
        if statement.suite not in studies:
            try:
                studies[statement.suite] = read_study(
                    store,
                    registry,
                    statement.suite,
                    overrides_from(options),
                    command=run,
                    location=location,
                )
            except DataError:
                # The database knows nothing of the dataset: that is what "not run" says.
                studies[statement.suite] = None
        study = studies[statement.suite]
        if study is None:
            findings.append(not_run(statement, options["scale"] or "full", run))
        else:
            findings += check_statement(statement, study)
    return findings


def _full(finding: Finding) -> list[object]:
    effect = finding.deciding
    numbers: list[object] = [None] * 5
    if effect is not None:
        numbers = [effect.value, effect.low, effect.high, effect.described, effect.seeds]
    statement = finding.statement
    return [
        *(finding.verdict, statement.name, *numbers),
        *(finding.dataset, finding.model, finding.scale),
        *(statement.text, statement.source, finding.command),
    ]


def _print_table(findings: Sequence[Finding]) -> None:
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.dataset, finding.model, finding.scale), []).append(finding)
    for (dataset, model, scale), members in groups.items():
        if dataset != "-":
            models = "all models" if model == "all" else model
            click.echo(f"{dataset}, {models}, scale {scale}")
        print_rows(
            _OF_A_TABLE,
            [_short(finding) for finding in members],
            "table",
            least=("seeds", "compared"),
        )
        click.echo()
    for run in dict.fromkeys(item.command for item in findings if item.verdict == "not run"):
        click.echo(f"to run: {run}")


def _short(finding: Finding) -> list[object]:
    effect = finding.deciding
    if effect is None:
        return [finding.verdict, finding.statement.name, "", finding.statement.text, ""]
    interval = f"{effect.value:+.3f} [{effect.low:+.3f}, {effect.high:+.3f}]"
    return [finding.verdict, finding.statement.name, interval, effect.described, str(effect.seeds)]
