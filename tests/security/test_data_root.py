"""Ways around the data root: the working folder, links, half an override, plugins' own types."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from hfcbench import hookimpl
from hfcbench.errors import DataError, SpecificationError
from hfcbench.parameters import ParameterSchema
from hfcbench.plugins import load_plugins
from hfcbench.runner.data_paths import stays_below
from hfcbench.runner.dataset_access import DatasetAccess
from hfcbench.runner.expansion import expand
from hfcbench.runner.suite_file import read_suite
from hfcbench.types import DataLocation, DataPath


@dataclass(frozen=True)
class Files:
    """A plugin's dataset with every kind of parameter that may hold a path."""

    main: DataPath = "main"
    more: list[DataPath] | None = None
    named: dict[str, DataPath | None] | None = None
    title: str = "/not/a/path"

    def prepare(self, location: DataLocation) -> None:
        # Nothing of this test is there: whoever comes here was let through.
        raise DataError("opened " + str(location.find(self.main)))


@dataclass(frozen=True)
class Weights:
    """A plugin's defence with a file of its own."""

    file: DataPath

    def defend(self, model):
        return model


def declare(kind: str, name: str, factory: type) -> SimpleNamespace:
    def hook(register):
        register(name, factory, version="1")

    return SimpleNamespace(**{f"hfcbench_register_{kind}": hookimpl(hook)})


@pytest.fixture(scope="module")
def registry():
    extra = {
        "files": declare("datasets", "files", Files),
        "weights": declare("defences", "weights", Weights),
    }
    return load_plugins(extra, installed=()).registry


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A working folder with `secret` in it, and a data root without."""
    for name in ("work/secret", "root/main", "elsewhere/dataset", "elsewhere/private"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "root" / "link").symlink_to(tmp_path / "elsewhere" / "dataset")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


@pytest.fixture
def verdict(place, registry):
    """What comes of a suite: 'opened', or the complaint."""

    def run(text: str, *overrides, root: str | None = "root") -> str:
        file = read_suite("s", "s.yaml", f"title: x\nmodels: [lenet5]\n{text}\n", overrides)
        location = DataLocation(None if root is None else place / root)
        access = DatasetAccess(registry, location, place / "cache")
        with pytest.raises((SpecificationError, DataError)) as raised:
            expand(file, registry, access)
        message = str(raised.value)
        return "opened" if message.startswith("opened") else message

    return run


OUT = "leads out of the data root"


@pytest.mark.parametrize(
    "dataset",
    [
        "'files(main=../elsewhere)'",
        "{files: {main: /etc}}",
        "{files: {main: ~}}",
        "{files: {more: [main, ../elsewhere]}}",
        "{files: {named: {a: null, b: /etc}}}",
        # Not below the root, and the working folder is not the data root.
        "{files: {main: secret}}",
        # Behind a link, '..' is beside what it leads to.
        "{files: {main: link/../private}}",
    ],
)
def test_every_parameter_of_the_type_is_checked(verdict, dataset):
    message = verdict(f"datasets: [{dataset}]\nblocks: [{{}}]".replace("~}", "'~'}"))
    assert OUT in message
    assert message.startswith("s.yaml:3: ")
    assert "--dataset" in message


@pytest.mark.parametrize(
    "dataset",
    ["files", "{files: {main: link}}", "{files: {main: ./main}}", "{files: {title: /etc}}"],
)
def test_what_lies_below_is_opened(verdict, dataset):
    assert verdict(f"datasets: [{dataset}]\nblocks: [{{}}]") == "opened"


def test_the_root_may_be_written_through_a_link_or_not(place, verdict):
    (place / "disk").symlink_to(place / "root")
    for written, root in (("disk", "root"), ("root", "disk"), ("disk", "disk")):
        real = "{files: {main: " + str(place / written / "main") + "}}"
        expected = "opened" if (written, root) != ("disk", "root") else OUT
        assert expected in verdict(f"datasets: [{real}]\nblocks: [{{}}]", root=root)


def test_without_a_root_it_is_the_working_folder(verdict):
    assert verdict("datasets: [{files: {main: secret}}]\nblocks: [{}]", root=None) == "opened"
    assert OUT in verdict("datasets: [{files: {main: ../root}}]\nblocks: [{}]", root=None)


def test_other_kinds_than_datasets_are_checked_too(verdict):
    text = "datasets: [files]\ndefences: [{weights: {file: /etc/passwd}}]\nblocks: [{}]"
    message = verdict(text)
    assert OUT in message
    assert message.startswith("s.yaml:4: ")
    assert "--defence" in message


def test_an_override_speaks_for_itself_only(verdict):
    hostile = "datasets: [{files: {main: /etc}}]\nblocks: [{}]"
    assert verdict(hostile, (("datasets",), ["files"])) == "opened"
    assert verdict(hostile, (("datasets",), [{"files": {"main": "/etc"}}])) == "opened"
    assert verdict(hostile, (("datasets", 0, "files", "main"), "/etc")) == "opened"
    # The user said the title, and the suite the path.
    assert OUT in verdict(hostile, (("datasets", 0, "files", "title"), "mine"))
    # The user said the suite's datasets, and the block has its own.
    own = "datasets: [files]\nblocks: [{datasets: [{files: {main: /etc}}]}]"
    assert OUT in verdict(own, (("datasets", 0), "files"))


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b", "main/" * 2000, "~nobody-by-this-name/x"])
def test_texts_that_are_no_paths_are_just_not_there(place, path):
    location = DataLocation(place / "root")
    assert stays_below(location, path)
    assert not os.path.exists(location.find(path))


def test_nothing_outside_is_looked_at_before_the_refusal(place, monkeypatch):
    looked: list[str] = []
    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: looked.append(str(path)) or exists(path))
    assert not stays_below(DataLocation(place / "root"), "/net/attacker/share")
    assert looked == []


def test_a_type_without_paths_has_none():
    schema = ParameterSchema(Files, "dataset 'files'")
    values = schema.validate({"more": ["a", "b"], "named": {"c": "d", "e": None}})
    assert list(schema.paths(values)) == [
        ("main", "main"),
        ("more", "a"),
        ("more", "b"),
        ("named", "d"),
    ]
