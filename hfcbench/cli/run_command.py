"""`hfcbench run`: a suite from its file to rows in the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from hfcbench.cli.completing import names_of, suites
from hfcbench.cli.console import plain_console
from hfcbench.cli.executor_options import ExecutorCommand, take_executor_parameters
from hfcbench.cli.main import EXIT_FAILED, EXIT_INTERRUPTED
from hfcbench.cli.options import database_option, place_options
from hfcbench.cli.overrides import override_options, overrides_from
from hfcbench.cli.run_report import print_plan, print_summary
from hfcbench.plugins import load_plugins
from hfcbench.runner.session import Session, Settings
from hfcbench.types import DataLocation


@click.command(short_help="Run a suite.", cls=ExecutorCommand)
@click.option(
    "--suite",
    default="classification",
    show_default=True,
    shell_complete=suites,
    help="A suite's name, or the path of a YAML file.",
)
@database_option
@place_options
@click.option(
    "--executor",
    default="in-process",
    show_default=True,
    shell_complete=names_of("executor"),
    help="Where tasks run; `--executor NAME --help` shows its own options, too.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@override_options
def command(
    suite: str,
    db: str,
    artifacts: Path | None,
    device: str,
    executor: str,
    data_root: Path | None,
    download: bool,
    cache_dir: Path,
    dry_run: bool,
    **options: Any,
) -> int:
    """Run a suite: train, split into frequency components, attack, defend, and store every score.

    What the database already holds is not computed again; an interrupted run goes on where it
    stopped.
    """
    settings = Settings(
        database=db,
        artifacts=artifacts,
        device=device,
        executor=executor,
        executor_parameters=take_executor_parameters(options),
        location=DataLocation(data_root, download),
        cache_root=cache_dir,
    )
    session = Session(load_plugins(), settings)
    return _run(session, suite, options, dry_run=dry_run)


def _run(session: Session, suite: str, options: Mapping[str, Any], *, dry_run: bool) -> int:
    console = plain_console()
    plan = session.plan(suite, overrides_from(options))
    if dry_run:
        print_plan(plan, session.remaining(plan), console)
        return 0
    summary, failures = session.run(plan, console)
    print_summary(summary, failures, plan, session, console)
    if summary.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_FAILED if summary.failed or summary.skipped else 0
