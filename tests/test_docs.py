"""The documentation names what the code has."""

from __future__ import annotations

import re
import shlex
import sqlite3
from pathlib import Path

import click
import pytest

import hfcbench
from hfcbench.cli.main import COMMANDS, program
from hfcbench.hookspecs import HookSpecifications
from hfcbench.plugins import load_plugins
from hfcbench.runner.suite_schema import BlockSchema

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_hook_is_documented():
    for name in vars(HookSpecifications):
        if name.startswith("hfcbench_"):
            assert f"`{name}(" in text_of("docs/reference/hooks.md")


def test_every_defence_is_documented():
    for defence in load_plugins().registry.all("defence"):
        assert f"| `{defence.name}`" in text_of("docs/defences.md")


def test_every_suite_key_is_documented():
    page = text_of("docs/reference/suite-files.md")
    for name in ("title", "description", "scale", "blocks", *BlockSchema.model_fields):
        assert f"`{name}`" in page


def test_every_table_and_view_is_documented(tmp_path):
    hfcbench.open_store(tmp_path / "empty.db", create=True).close()
    connection = sqlite3.connect(tmp_path / "empty.db")
    names = {
        name
        for (name,) in connection.execute(
            "select name from sqlite_master where type in ('table', 'view')"
        )
    } - {"alembic_version", "sqlite_sequence"}
    connection.close()
    page = text_of("docs/database.md")
    assert len(names) > 10
    for name in names:
        assert f"`{name}`" in page


def commands_in(page: Path) -> list[list[str]]:
    """Every `hfcbench ...` line of a page, without placeholders in brackets."""
    lines = re.findall(r"^    (?:\$ )?(hfcbench [^\n#]+)", page.read_text(encoding="utf-8"), re.M)
    return [shlex.split(line)[1:] for line in lines if "[" not in line]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_on_the_pages_exist(page):
    for arguments in commands_in(page):
        assert arguments[0] in COMMANDS
        command = program.get_command(click.Context(program), arguments[0])
        assert command is not None
        options = {option for parameter in command.params for option in parameter.opts}
        for argument in arguments[1:]:
            if argument.startswith("--"):
                assert argument in options, f"{page.name}: {argument}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_shows_commands():
    assert len(commands_in(ROOT / "README.md")) >= 4
