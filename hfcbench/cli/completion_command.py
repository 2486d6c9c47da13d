"""`hfcbench completion SHELL`: what makes TAB complete commands, options and names."""

from __future__ import annotations

import click

from hfcbench.cli.main import program

_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_HFCBENCH_COMPLETE"
"""What click looks for: the program's name, in which it was called by the shell's script."""


@click.command(short_help="Print a script that makes TAB complete.")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print the script that makes TAB complete commands, options and names in a SHELL.

    \b
    bash: hfcbench completion bash > ~/.local/share/bash-completion/completions/hfcbench
    zsh:  hfcbench completion zsh > ~/.zfunc/_hfcbench (a folder in fpath)
    fish: hfcbench completion fish > ~/.config/fish/completions/hfcbench.fish

    The shells that are started afterwards know it.
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"this version of click completes nothing in {shell}")
    script = kind(program, {}, "hfcbench", _VARIABLE)
    click.echo(script.source_template % script.source_vars())
