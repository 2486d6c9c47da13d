"""Suite files: complaints name file, line and the nearest valid key."""

from __future__ import annotations

import textwrap

import pytest

from hfcbench.errors import SpecificationError
from hfcbench.runner.suite_file import SuiteFile, read_suite
from hfcbench.runner.suite_schema import merged

GOOD = """\
title: Example
schedule: {epochs: 3}
attacks: [fgsm]
epsilons: [0.03]
blocks:
  - models: [lenet5]
    seeds: [0, 1]
    schedule:
      epochs: 5
      batch_size: 20
  - models:
      - resnet18: {width: 8}
    epsilons: [0.06]
"""


def read(text: str, overrides=()) -> SuiteFile:
    return read_suite("example", "example.yaml", textwrap.dedent(text), overrides)


def complaint(text: str, overrides=()) -> str:
    with pytest.raises(SpecificationError) as raised:
        read(text, overrides)
    return str(raised.value)


def test_blocks_inherit_from_the_suite_and_the_defaults():
    file = read(GOOD)
    first, second = (merged(block, file.suite) for block in file.suite.blocks)

    assert first.schedule is not None
    assert (first.schedule.epochs, first.schedule.batch_size) == (5, 20)
    assert second.schedule is not None
    assert second.schedule.epochs == 3
    assert (first.seeds, second.seeds) == ([0, 1], [0])
    assert (first.epsilons, second.epsilons) == ([0.03], [0.06])
    assert first.datasets == ["photo-patches"]
    assert first.rescaling == "none"


def test_places_point_at_the_innermost_known_line():
    file = read(GOOD)

    assert file.place(("blocks", 0, "schedule", "batch_size")) == "example.yaml:10"
    assert file.place(("blocks", 1, "models", 0, "resnet18", "depth")) == "example.yaml:12"
    assert file.place(("nothing",)) == "example.yaml:1"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("attacks:", "atacks:", "example.yaml:3: there is no key 'atacks' here; did you mean"),
        ("epochs: 5", "epoch: 5", "example.yaml:9: there is no key 'epoch' here; did you mean"),
        ("epochs: 5", "epochs: -5", "example.yaml:9: 'blocks.0.schedule.epochs'"),
        ("seeds: [0, 1]", "seeds: []", "example.yaml:7: 'blocks.0.seeds'"),
        ("seeds: [0, 1]", "seeds: [0, x]", "example.yaml:7: 'blocks.0.seeds.1'"),
        ("title: Example", "titel: Example", "'titel'"),
        ("models: [lenet5]", "models: [5]", "example.yaml:6: 'blocks.0.models.0'"),
        ("epsilons: [0.06]", "rescaling: maxi", "example.yaml:13: 'blocks.1.rescaling'"),
        ("attacks: [fgsm]", "title: Again", "example.yaml:3: 'title' is given twice, first in"),
        ("attacks: [fgsm]", "attacks: [fgsm", "not valid YAML"),
    ],
)
def test_mistakes_are_named_with_file_and_line(old, new, message):
    assert message in complaint(GOOD.replace(old, new))


def test_a_suite_without_blocks_is_refused():
    assert "either the key 'blocks' or the key 'includes'" in complaint("title: Nothing")
    assert "a suite is a mapping" in complaint("- 1")


def test_overrides_hold_in_every_block():
    overrides = [(("schedule", "epochs"), 1), (("epsilons",), [0.5]), (("seeds",), [0, 1, 2])]
    file = read(GOOD, overrides)

    for block in (merged(block, file.suite) for block in file.suite.blocks):
        assert block.schedule is not None
        assert block.schedule.epochs == 1
        assert block.epsilons == [0.5]
        assert block.seeds == [0, 1, 2]
    assert file.suite.blocks[0].schedule is not None
    assert file.suite.blocks[0].schedule.batch_size == 20


def test_one_block_can_be_overridden_by_its_index():
    file = read(GOOD, [(("blocks", 1, "models"), ["vgg11"])])

    assert file.suite.blocks[1].models == ["vgg11"]
    assert file.suite.blocks[0].models == ["lenet5"]


def test_mistakes_in_overrides_blame_the_command_line():
    assert complaint(GOOD, [(("schedule", "epochs"), "many")]).startswith("command line: ")
    assert "nothing at 'blocks.7.models'" in complaint(GOOD, [(("blocks", 7, "models"), [])])
    assert "command line: there is no key 'epoch'" in complaint(GOOD, [(("epoch",), 1)])


def test_what_the_command_line_replaced_has_no_line():
    file = read(GOOD, [(("attacks",), ["pgd"])])
    assert file.place(("attacks", 0)) == "command line"
    assert file.place(("epsilons", 0)) == "example.yaml:4"
