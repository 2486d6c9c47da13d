"""Suites of others: nothing in them is executed, and they stay below the data root."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image

from hfcbench.cli.main import call
from hfcbench.errors import SpecificationError
from hfcbench.runner.data_paths import stays_below
from hfcbench.runner.suite_file import read_suite
from hfcbench.types import DataLocation

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
SMALL = """
title: Small
schedule: {epochs: 0}
models: [lenet5]
components: [original]
"""


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.mkdir [MARKER]",
        "!!python/object/new:os.mkdir [MARKER]",
        "!!python/name:os.system",
        "!!python/module:os",
        "!include MARKER",
    ],
)
def test_tags_are_not_executed(value, marker):
    text = f"title: {value.replace('MARKER', str(marker))}\nblocks: [{{models: [lenet5]}}]\n"
    with pytest.raises(SpecificationError, match="not valid YAML"):
        read_suite("bad", "bad.yaml", text)
    assert not marker.exists()


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "title: &a [*a]\nblocks: []\n",
        "title: &a {b: *a}\nblocks: []\n",
        "title: " + "[" * 200 + "]" * 200,
        "title: x\nblocks: [" + "{}, " * 200_000 + "]",
        "title: x\nseeds: [" + "9" * 10_000 + "]\nblocks: []",
    ],
    ids=["laughs", "itself", "itself-mapped", "deep", "many", "digits"],
)
def test_suites_that_only_want_to_grow(text):
    start = time.monotonic()
    with pytest.raises(SpecificationError):
        read_suite("bomb", "bomb.yaml", text)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize(
    "name",
    ["__import__('os').mkdir('MARKER')", "../../../etc/passwd", "os.mkdir", "lenet5; mkdir MARKER"],
)
@pytest.mark.parametrize("key", ["models", "attacks", "datasets", "decomposition"])
def test_names_are_only_looked_up(name, key, marker, tmp_path, capsys):
    name = name.replace("MARKER", str(marker))
    value = f'"{name}"' if key == "decomposition" else f'["{name}"]'
    lines = [line for line in SMALL.splitlines() if not line.startswith(f"{key}:")]
    text = "\n".join([*lines, f"{key}: {value}", "epsilons: [0.1]", "blocks: [{}]"])
    text = text.replace("components: [original]", "components: [lfc@4]")
    suite = tmp_path / "names.yaml"
    suite.write_text(text, encoding="utf-8")
    database = tmp_path / "names.db"
    assert call(["run", "--suite", str(suite), "--db", str(database)]) == 2
    message = capsys.readouterr().err
    assert "there is no" in message or "cannot be read" in message
    assert "names.yaml:" in message
    assert not marker.exists()
    assert not database.exists()


@pytest.mark.parametrize("suite", ["os", "../smoke", "hfcbench.suites", "/etc/passwd"])
def test_a_suite_is_a_registered_name_or_a_yaml_file(suite, tmp_path, capsys):
    assert call(["run", "--suite", suite, "--db", str(tmp_path / "x.db")]) == 2
    assert "there is no suite" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "stays"),
    [
        ("pets", True),
        ("pets/../pets", True),
        ("ROOT/pets", True),
        ("..", False),
        ("pets/../../secret", False),
        ("/etc", False),
        ("~", False),
        ("~root/x", False),
        ("ROOT-of-others", False),
    ],
)
def test_which_paths_stay_below_the_data_root(path, stays, tmp_path):
    assert stays_below(DataLocation(tmp_path), path.replace("ROOT", str(tmp_path))) is stays


@pytest.fixture
def folders(tmp_path):
    """A data root with a dataset, and a dataset beside it that is nobody's business."""
    for name in ("root/pets", "secret"):
        for split, kind in (("train", "a"), ("train", "b"), ("test", "a"), ("test", "b")):
            folder = tmp_path / name / split / kind
            folder.mkdir(parents=True)
            for number in range(2):
                pixels = np.full((32, 32, 3), 40 * number + len(kind), np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path


def run(folders, dataset: str, *arguments: str) -> int:
    suite = folders / "suite.yaml"
    suite.write_text(f'{SMALL}datasets: ["{dataset}"]\nblocks: [{{}}]\n', encoding="utf-8")
    place = ["--db", str(folders / "results.db"), "--cache-dir", str(folders / "cache")]
    options = ["--data-root", str(folders / "root"), "--device", "cpu"]
    return call(["run", "--suite", str(suite), *place, *options, *arguments])


@pytest.mark.parametrize("path", ["../secret", "{folders}/secret", "pets/../../secret"])
def test_a_suite_cannot_leave_the_data_root(folders, path, capsys):
    path = path.format(folders=folders)
    assert run(folders, f"image-folder:{path}") == 2
    message = capsys.readouterr().err
    assert "suite.yaml:6" in message
    assert f"the path '{path}' leads out of the data root" in message
    assert "--dataset" in message
    assert not (folders / "results.db").exists()


def test_users_may_name_what_they_like(folders, capsys):
    secret = f"image-folder:{folders / 'secret'}"
    assert run(folders, "image-folder:pets", "--dataset", secret) == 0
    assert run(folders, "image-folder:pets") == 0
    # A link in the data root is its owner's word.
    (folders / "root" / "link").symlink_to(folders / "secret")
    assert run(folders, "image-folder:link") == 0
