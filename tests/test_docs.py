"""The documentation names what the code has."""

from __future__ import annotations

import re
import shlex
import sqlite3
from pathlib import Path

import click
import pytest

import hfcbench
from hfcbench.cli.main import program
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
    """Commands that stand in a sentence; those of blocks are run by `tests/documentation`."""
    lines = re.findall(r"`(hfcbench [^`]+)`", page.read_text(encoding="utf-8"))
    return [shlex.split(line)[1:] for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_in_sentences_exist(page):
    for arguments in commands_in(page):
        command: click.Command | None = program
        known = {"--help"}
        for argument in arguments:
            if argument.startswith("--"):
                continue
            if isinstance(command, click.Group) and argument.islower():
                known |= {option for each in command.params for option in each.opts}
                command = command.get_command(click.Context(command), argument)
                assert command is not None, f"{page.name}: {' '.join(arguments)}"
        known |= {option for each in command.params for option in each.opts}
        known |= set(command.get_help_option_names(click.Context(command)))
        for argument in arguments:
            if argument.startswith("--"):
                assert argument in known, f"{page.name}: {argument}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_pages_name_commands():
    assert sum(len(commands_in(page)) for page in PAGES) > 20
