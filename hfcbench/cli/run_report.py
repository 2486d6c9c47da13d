"""What `hfcbench run` says before and after the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hfcbench.results.records import FailureRecord
from hfcbench.runner.plan import Plan, Remaining
from hfcbench.runner.progress import duration
from hfcbench.runner.session import Session
from hfcbench.runner.tasks import RunSummary, TrainingTask

if TYPE_CHECKING:
    from rich.console import Console

_FAILURES_SHOWN = 10


def print_plan(plan: Plan, left: Remaining, console: Console) -> None:
    """What would train, what is done already, how many evaluations."""
    from hfcbench.cli.tables import print_table

    to_train = {task.identity for task in left.tasks if isinstance(task, TrainingTask)}
    rows = []
    for node in plan.nodes:
        identity = node.training.identity
        known = identity in left.trainings_done
        state = "trained" if identity not in to_train else "repeat" if known else "to train"
        done = sum(item.identity in left.evaluations_done for item in node.evaluations)
        rows.append((node.training.label, state, str(len(node.evaluations)), str(done)))
    print_table(("training", "state", "evaluations", "done"), rows)
    missing = plan.evaluation_count - len(left.evaluations_done)
    line = (
        f"suite {plan.suite}: {len(to_train)} of {len(plan.nodes)} trainings to run, "
        f"{missing} of {plan.evaluation_count} evaluations to run"
    )
    if plan.analysis_count:
        unanalysed = plan.analysis_count - len(left.analyses_done)
        line += f", {unanalysed} of {plan.analysis_count} analyses to run"
    console.print(line)


def print_summary(
    summary: RunSummary,
    failures: Sequence[FailureRecord],
    plan: Plan,
    session: Session,
    console: Console,
) -> None:
    """The leaderboard of what the plan holds, what failed, and where to look next."""
    if summary.trained or summary.evaluated or summary.analysed or summary.failed:
        analysed = f"{summary.analysed} analysed, " if plan.analysis_count else ""
        console.print(
            f"{summary.trained} trained, {summary.evaluated} evaluated, {analysed}"
            f"{summary.failed} failed, "
            f"{summary.skipped} skipped in {duration(summary.seconds)}"
        )
    else:
        analyses = f" and {plan.analysis_count} analyses" if plan.analysis_count else ""
        console.print(
            f"suite {plan.suite}: all {plan.evaluation_count} evaluations{analyses} "
            "were done before"
        )
    for failure in failures[:_FAILURES_SHOWN]:
        console.print(f"failed: {failure.label}: {failure.error}")
    if len(failures) > _FAILURES_SHOWN:
        console.print(f"... and {len(failures) - _FAILURES_SHOWN} more, in the table failures")
    if summary.interrupted:
        console.print("interrupted; the same command goes on from here")
    _print_leaderboard(plan, session, console)


def _print_leaderboard(plan: Plan, session: Session, console: Console) -> None:
    from hfcbench.cli.leaderboard_table import compact, least_important, notes
    from hfcbench.cli.tables import print_rows
    from hfcbench.results.opening import open_store

    database = session.settings.database
    trainings = [node.training.identity for node in plan.nodes]
    with open_store(database, read_only=True) as store:
        boards = [
            store.leaderboard(metric=metric, trainings=trainings, columns="main")
            for metric in store.headline_metrics(trainings=trainings)
        ]
    boards = [board for board in boards if not board.frame.empty]
    if not boards:
        return
    for board in boards:
        console.print()
        columns, rows = compact(board)
        print_rows(columns, rows, "table", least=least_important(board))
        for line in notes(board):
            console.print(line)
    db = "" if database == "results.db" else f" --db {database}"
    console.print(
        f"\nnext: hfcbench leaderboard{db} --wide\n"
        f'      hfcbench query{db} "select * from leaderboard"'
    )
