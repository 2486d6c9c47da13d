"""The `hfcbench` program: finds commands when they are called and prints errors."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from hfcbench.errors import HfcbenchError, UsageError
from hfcbench.version import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS: Mapping[str, str] = {
    "run": "Run a suite and write its results to a database.",
    "leaderboard": "Show original, low- and high-frequency and robust accuracy, ranked.",
    "tradeoff": "Hold accuracy against robust accuracy, with the models that none beats.",
    "gains": "Count pictures that detectors score better on in LFC or HFC than in the original.",
    "show": "Tell where a number comes from, and how to compute it again.",
    "verify": "Recompute a stored result and compare.",
    "figures": "Draw a suite's figures and tables from a results database.",
    "claims": "Check the paper's statements against a results database.",
    "report": "Write a static site of a results database: leaderboards, trainings, claims.",
    "compare": "Compare rows image by image: McNemar's test, paired bootstrap.",
    "query": "Answer a SQL question from a results database (read-only).",
    "serve": "Serve a results database as web pages, read-only.",
    "db": "Check, upgrade, back up, compact, merge, export or import a results database.",
    "doctor": "Examine devices, versions, disk, plugins and the database, for bug reports.",
    "list": "List datasets, models, attacks and everything else that plugins provide.",
    "plugins": "Show the plugins, what they provide, and what failed to load.",
    "completion": "Print a script that makes TAB complete commands, options and names.",
}
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class _LazyGroup(click.Group):
    """Imports a command's module only when it is called, so that --help is quick."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"hfcbench.cli.{name}_command")
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=text)
            for name, text in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        # The group's own version would import the module of every command.
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hfcbench")
@click.option("--debug", is_flag=True, help="Show Python tracebacks of errors.")
@click.pass_context
def program(context: click.Context, debug: bool) -> None:
    """Measure how much of a vision model's score rests on low and on high frequencies.

    Start with `hfcbench run --suite classification`.
    """
    context.obj = debug


def main() -> None:
    """Entry point: run the command, turn errors into one message and an exit code."""
    sys.exit(call(sys.argv[1:]))


def call(arguments: list[str]) -> int:
    """Run the program with these arguments and return its exit code."""
    debug = "--debug" in arguments
    try:
        result = program.main(arguments, prog_name="hfcbench", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except HfcbenchError as error:
        if debug:
            traceback.print_exc()
        _complain(str(error))
        return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has seen enough.
        sys.stderr.close()
        return 0
    except Exception as error:
        if debug:
            raise
        _complain(
            f"{type(error).__name__}: {error}\n"
            "this is a defect of hfcbench or of a plugin; --debug shows where"
        )
        return EXIT_FAILED
    return result if isinstance(result, int) else 0


def _complain(message: str) -> None:
    # Messages quote what files and databases of others say.
    from hfcbench.cli.tables import printable

    click.echo("error: " + printable(message, keep="\n"), err=True)
