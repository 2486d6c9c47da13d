"""TAB in a real shell, with the script that `hfcbench completion` prints."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hfcbench.cli.main import COMMANDS, call
from hfcbench.plugins import load_plugins

BASH = shutil.which("bash")
SECONDS = 30.0

pytestmark = pytest.mark.skipif(BASH is None, reason="bash is not installed")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """In which `hfcbench` is this copy, and the script lies in `completion`."""
    program = tmp_path / "hfcbench"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hfcbench "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    paths = [str(tmp_path), os.environ["PATH"]]
    found = {**os.environ, "PATH": os.pathsep.join(paths), "TERM": "xterm"}
    command = ["hfcbench", "completion", "bash"]
    done = subprocess.run(command, env=found, capture_output=True, text=True, check=True)
    (tmp_path / "completion").write_text(done.stdout, encoding="utf-8")
    return found


def offered(environment: dict[str, str], folder: Path, *words: str) -> list[str]:
    """What bash is given for the last of the words."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = f"""
        source '{folder / "completion"}'
        COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}
        $(complete -p hfcbench | sed -E 's/.*-F ([^ ]+).*/\\1/') hfcbench
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    # Fails where a completion function fails; `compopt` needs a real TAB.
    done = subprocess.run(
        [str(BASH), "--norc", "-c", f"compopt() {{ :; }}\n{script}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


def names(kind):
    return [registration.name for registration in load_plugins().registry.all(kind)]


def test_commands(environment, tmp_path):
    assert offered(environment, tmp_path, "hfcbench", "le") == ["leaderboard"]
    assert offered(environment, tmp_path, "hfcbench", "") == list(COMMANDS)
    assert offered(environment, tmp_path, "hfcbench", "db", "me") == ["merge"]
    assert offered(environment, tmp_path, "hfcbench", "--ver") == ["--version"]


def test_options(environment, tmp_path):
    def options(*words):
        return offered(environment, tmp_path, "hfcbench", *words)

    assert options("leaderboard", "--rank") == ["--rank-intervals"]
    assert {"--db", "--json", "--help"} <= set(options("doctor", "--"))
    assert options("leaderboard", "--format", "") == ["table", "csv", "json", "markdown"]
    assert options("list", "de") == ["decompositions", "defences"]
    assert options("completion", "") == ["bash", "zsh", "fish"]


def test_names_that_plugins_register(environment, tmp_path):
    def options(*words):
        return offered(environment, tmp_path, "hfcbench", *words)

    assert options("run", "--model", "resn") == ["resnet18"]
    assert set(options("leaderboard", "--defence", "")) == {*names("defence"), "none"}
    assert set(options("run", "--suite", "paper/")) == {
        name for name in names("suite") if name.startswith("paper/")
    }
    assert options("run", "--heuristic", "van") == ["vanilla"]
    # What is wrong before it does not end in a message.
    assert options("run", "--executor", "nowhere", "--dry") == ["--dry-run"]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("hfcbench le\t", "hfcbench leaderboard "),
        ("hfcbench leaderboard --rank\t", "hfcbench leaderboard --rank-intervals "),
        ("hfcbench leaderboard --db resu\t", "hfcbench leaderboard --db results.db "),
        ("hfcbench run --suite my\t", "hfcbench run --suite my.yaml "),
    ],
)
def test_a_real_tab(environment, tmp_path, typed, shown):
    for name in ("results.db", "my.yaml"):
        (tmp_path / name).touch()
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execve(str(BASH), ["bash", "--norc", "--noprofile", "-i"], environment)
    try:
        os.write(terminal, b"PS1='ready> '; bind 'set enable-bracketed-paste off'\n")
        os.write(terminal, b"source completion; echo it is re''ad\n")
        _read_until(terminal, "it is read")
        os.write(terminal, typed.encode())
        _read_until(terminal, shown)
    finally:
        os.close(terminal)
        os.waitpid(child, 0)


def _read_until(terminal: int, wanted: str) -> None:
    text, end = "", time.monotonic() + SECONDS
    while wanted not in text:
        left = end - time.monotonic()
        assert left > 0, f"{wanted!r} never came: {text!r}"
        if select.select([terminal], [], [], left)[0]:
            read = os.read(terminal, 4096).decode(errors="replace")
            text += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x07", "", read)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script_that_it_can_read(capsys, tmp_path, shell):
    assert call(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_HFCBENCH_COMPLETE={shell}_complete" in script
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "script").write_text(script, encoding="utf-8")
    subprocess.run([program, "-n", str(tmp_path / "script")], check=True)


def test_another_shell_is_refused(capsys):
    assert call(["completion", "tcsh"]) == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err


def test_it_imports_neither_torch_nor_a_database():
    code = """
import sys
from hfcbench.cli.main import call
call(["completion", "bash"])
call(["leaderboard", "--help"])
for module in ("torch", "sqlalchemy", "rich", "pandas"):
    assert module not in sys.modules, module
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
