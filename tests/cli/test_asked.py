"""Which studies runs were asked for."""

from __future__ import annotations

import pytest

from hfcbench.cli.asked import asked_studies
from hfcbench.plugins import load_plugins


class Runs:
    """Answers the question for commands."""

    def __init__(self, *commands):
        self.commands = commands

    def query(self, sql):
        return ["command"], [(command,) for command in self.commands]


def asked(*commands):
    return asked_studies(Runs(*commands), load_plugins().registry)


def test_a_suite_is_what_it_includes_and_the_most_seeds_count():
    options = "--scale quick --dataset image-folder:pets"
    found = asked(
        f"hfcbench run --suite paper {options} --db a.db --data-root data --device cpu",
        f"hfcbench run --suite paper/fig5 --seeds 3 {options} --db b.db",
        f"hfcbench run --suite paper/fig5 --seeds 2 {options}",
    )
    assert len(found) == len({item.suite for item in found}) > 10
    (fig5,) = [item for item in found if item.suite == "paper/fig5"]
    expected = "hfcbench run --suite paper/fig5 --dataset image-folder:pets --scale quick --seeds 3"
    assert fig5.command == expected


def test_other_options_are_another_study():
    found = asked(
        "hfcbench run --suite smoke",
        "hfcbench run --suite smoke --epochs 5",
        "hfcbench --debug run --suite smoke --set schedule.epochs=5",
    )
    assert [item.command for item in found] == [
        "hfcbench run --suite smoke",
        "hfcbench run --suite smoke --epochs 5",
        "hfcbench run --suite smoke --set schedule.epochs=5",
    ]


def test_the_default_suite_needs_no_name():
    assert [item.suite for item in asked("hfcbench run")] == ["classification"]


@pytest.mark.parametrize(
    "command",
    [
        "python study.py",
        "hfcbench run --suite absent.yaml",
        "hfcbench run --suite nothing-of-this-name",
        "hfcbench run --no-such-option",
        "hfcbench run --help",
        "hfcbench run 'unbalanced",
        "hfcbench run --executor absent",
    ],
)
def test_what_cannot_be_read_is_left_out(command):
    assert asked(command) == []
