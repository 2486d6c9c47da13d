"""Limits on what YAML of others may cost, in suites and in labels; the words it may not hold."""

from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hfcbench import untrusted_yaml
from hfcbench.errors import SpecificationError
from hfcbench.references import parse_label
from hfcbench.runner.suite_file import read_suite


def merge_bomb(levels: int, newline: str) -> str:
    """Mappings that merge ten of the ones before: PyYAML copies 10^levels pairs."""
    parts = ["m0: &m0 {k: 1}"]
    for level in range(1, levels):
        before = ", ".join([f"*m{level - 1}"] * 10)
        parts.append(f"m{level}: &m{level} {{<<: [{before}]}}")
    return newline.join(parts)


HOSTILE = {
    "merged": merge_bomb(9, "\n"),
    "key-of-aliases": "a: &a [x, x]\n? [*a, *a]\n: 1",
    "very-deep": "title: " + "[" * 100_000,
    "deep-blocks": "- " * 10_000,
    "long": "title: " + "x" * 300_000,
    "long-value": "title: " + "x" * 20_000,
    "hexadecimal": "seeds: [0x" + "f" * 9_000 + "]",
    "sexagesimal": "seeds: [" + "59:" * 3_000 + "59]",
    "no-such-day": "title: 2001-99-99",
    "no-time-at-all": "title: !!timestamp x",
    "empty-number": "title: !!int ''",
    "window-title": 'title: "\\e]0;owned\\a"',
    "one-byte-escape": 'title: "\\x9b31m"',
    "turned-around": 'title: "\\u202Egnp.exe"',
    "half-a-pair": 'title: "\\uD800"',
    "key-with-escape": '"\\e[2J": 1',
    "two-documents": "title: x\n---\ntitle: y",
    "infinite": "title: x\nblocks: [{models: [lenet5], epsilons: [.inf]}]",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_suite_like_that_is_refused_soon_and_in_plain_words(text):
    start = time.monotonic()
    with pytest.raises(SpecificationError, match=r"^bad\.yaml") as raised:
        read_suite("bad", "bad.yaml", text)
    assert time.monotonic() - start < 10
    assert str(raised.value).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "inside",
    [
        "steps=" + "9" * 5_000,
        "steps=" + "[" * 5_000,
        "day=2001-99-99",
        merge_bomb(9, ", ").replace(": &", "=&"),
        'steps="\\e]0;owned\\a"',
        "steps=!!python/name:os.system x",
        "steps=!!python/object/apply:os.mkdir [x]",
    ],
    ids=["digits", "deep", "day", "merged", "escape", "name", "apply"],
)
def test_neither_can_a_label(inside):
    start = time.monotonic()
    with pytest.raises(SpecificationError, match="cannot be read"):
        parse_label(f"pgd({inside})")
    assert time.monotonic() - start < 10


def test_aliases_and_merges_in_reason_are_allowed():
    text = """\
title: Shared
models: &models [lenet5, resnet18]
schedule: &short {epochs: 1}
blocks:
  - {models: *models, schedule: {<<: *short, batch_size: 5}}
  - {models: *models}
"""
    suite = read_suite("good", "good.yaml", text).suite
    assert [block.models for block in suite.blocks] == [["lenet5", "resnet18"]] * 2
    assert suite.blocks[0].schedule is not None
    assert suite.blocks[0].schedule.epochs == 1


@given(st.text(alphabet="ab:-?[]{},&*!<>|'\"#%@\\ \n\t01.e~=", max_size=60))
def test_any_text_is_a_suite_or_a_complaint(text):
    with pytest.raises(SpecificationError):
        read_suite("any", "any.yaml", text)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("abcdefgh 0:", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=10,
)


@given(plain)
def test_plain_values_are_read_as_pyyaml_does(value):
    text = yaml.safe_dump(value)
    assert untrusted_yaml.construct(untrusted_yaml.compose(text)) == value


def test_a_matrix_beyond_reason_is_refused_before_it_is_written_out(tmp_path, capsys):
    from hfcbench.cli.main import call

    hundred = ", ".join(["lfc@4"] * 100)
    numbers = ", ".join(map(str, range(100)))
    path = tmp_path / "wide.yaml"
    path.write_text(
        f"title: Wide\nseeds: [{numbers}]\ncomponents: [{hundred}]\ntrain_on: [{hundred}]\n"
        "blocks:\n  - models: [lenet5]\n  - models: [lenet5, resnet18]\n",
        encoding="utf-8",
    )
    start = time.monotonic()
    assert call(["run", "--suite", str(path), "--db", str(tmp_path / "x.db")]) == 2
    assert time.monotonic() - start < 10
    message = capsys.readouterr().err
    assert "wide.yaml:6: with this block the suite has 1e+06 evaluations" in message
    assert not (tmp_path / "x.db").exists()
