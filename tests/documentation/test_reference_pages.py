"""The generated reference is what the code says, and all of it."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import hfcbench
from hfcbench.cli import main
from hfcbench.cli.main import program
from hfcbench.plugins import load_plugins
from hfcbench.reference_pages import database
from hfcbench.reference_pages.__main__ import command
from hfcbench.reference_pages.docstrings import description_of
from hfcbench.reference_pages.markdown import prose, table
from hfcbench.references import KINDS
from hfcbench.results.meanings import column_meanings

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def text_of(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def check(folder: Path) -> tuple[int, str]:
    """Exit code and messages of `python -m hfcbench.reference_pages --check`."""
    answer = CliRunner().invoke(command, ["--check", "--out", str(folder)], standalone_mode=False)
    return answer.return_value, answer.stderr


def test_the_pages_are_what_the_code_says():
    code, messages = check(REFERENCE)
    assert code == 0, messages


def test_pages_that_differ_or_are_missing_are_named_with_what_mends_them(tmp_path):
    assert CliRunner().invoke(command, ["--out", str(tmp_path)], standalone_mode=False)
    assert check(tmp_path) == (0, "")
    (tmp_path / "cli.md").write_text(text_of("cli.md").replace("--suite", "--sweet"))
    (tmp_path / "hooks.md").unlink()
    code, messages = check(tmp_path)
    assert code == 1
    assert "cli.md is not" in messages
    assert "hooks.md is not" in messages
    assert "errors.md" not in messages
    assert "`python -m hfcbench.reference_pages`" in messages


def test_only_what_hfcbench_ships_is_on_the_pages():
    page = text_of("built-ins.md")
    for kind in KINDS:
        for registration in load_plugins().registry.all(kind):
            heading = f"### {registration.name}\n" if kind != "suite" else f"`{registration.name}`"
            assert (heading in page) == (registration.origin.distribution == "hfcbench")


def test_every_parameter_of_a_built_in_is_there():
    sections = dict(
        re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", text_of("built-ins.md"), re.M | re.S)
    )
    registry = load_plugins(installed=()).registry
    for kind in KINDS:
        for registration in registry.all(kind):
            for name in registration.schema.names:
                assert f"| `{name}` |" in sections[registration.name]


def commands(group: click.Group, path: str = "hfcbench"):
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        yield f"{path} {name}", found
        if isinstance(found, click.Group):
            yield from commands(found, f"{path} {name}")


@pytest.mark.parametrize(("name", "found"), [*commands(program)])
def test_what_help_says_of_a_command_is_on_the_page(name, found):
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text_of("cli.md"), re.M | re.S))
    shown = found.get_help(click.Context(found, info_name=name))
    options = set(re.findall(r"^  (--[\w-]+)", shown, re.M)) - {"--help"}
    assert options == set(re.findall(r"^\| `(--[\w-]+)", sections[name], re.M))
    for line in sections[name].splitlines():
        if line.startswith("| `--"):
            assert line.split(" | ")[-1].strip(" |"), f"{name}: {line} has no meaning"


def test_every_column_has_a_meaning_and_no_meaning_is_left_over():
    meanings = column_meanings()
    used = set()
    for column in database.columns():
        used.add(column if column in meanings else column.partition(".")[2])
    assert used == set(meanings)


def test_tables_and_columns_are_those_of_a_new_database(tmp_path):
    hfcbench.open_store(tmp_path / "new.db", create=True).close()
    connection = sqlite3.connect(tmp_path / "new.db")
    names = connection.execute("select name from sqlite_master where type in ('table', 'view')")
    sections = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", text_of("schema.md"), re.M | re.S))
    found = {name for (name,) in names} - {"alembic_version", "sqlite_sequence"}
    assert found == set(sections)
    for name in found:
        columns = [row[1] for row in connection.execute(f"pragma table_info({name})")]
        assert sorted(columns) == sorted(re.findall(r"^\| `(\w+)`", sections[name], re.M))
    connection.close()


def test_every_exit_code_is_explained():
    page = text_of("errors.md")
    for name, number in vars(main).items():
        if name.startswith("EXIT_"):
            assert f"| {number} |" in page


def test_docstrings_are_taken_apart_with_those_of_bases():
    class Base:
        """A base.

        Attributes:
            first, second: of both,
                over two lines.
        """

    class Derived(Base):
        """What it is.

        More of it.

        Attributes:
            second: its own.
            third: the last.

        Raises:
            ValueError: never.
        """

    described = description_of(Derived)
    assert described.text == "What it is.\n\nMore of it."
    assert prose(described.attributes["first"]) == "of both, over two lines."
    assert described.attributes["second"] == "its own."
    assert set(described.attributes) == {"first", "second", "third"}


def test_prose_keeps_signs_of_markdown_as_they_are():
    assert (
        prose("``a*b`` and *.png of\n:class:`~x.Y`, <b> < 3")
        == "`a*b` and \\*.png of `x.Y`, \\<b> < 3"
    )
    assert table(("a",), [("x | y",)]) == "| a |\n| --- |\n| x \\| y |"
