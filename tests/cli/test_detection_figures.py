"""`hfcbench figures` of a suite with detectors, with its pictures at hand and without."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from hfcbench import hookimpl
from hfcbench.cli.main import call
from hfcbench.detection_types import Found, Objects, Picture
from hfcbench.errors import DataError
from hfcbench.plugins import load_plugins
from hfcbench.reports.reading import read_study
from hfcbench.results.opening import open_store
from hfcbench.runner.session import Session, Settings
from hfcbench.types import DataLocation, DatasetDescription, ImageShape

SUITE = """
title: Lamps
datasets: [lamps]
models: [brightest]
schedule: {epochs: 0}
curves: {components: []}
components: [original, lfc@3, hfc@3]
rescaling: none
blocks:
  - {}
"""
HEIGHT, WIDTH = 36, 48
SEEN: list[np.ndarray] = []


@dataclass(frozen=True)
class Lamps:
    """Pictures of one square lamp each; the file in the folder says how bright they are."""

    task: ClassVar = "detection"

    def prepare(self, location: DataLocation) -> None:
        if not location.find("lamps.txt").is_file():
            raise DataError("lamps: lamps.txt is missing")

    def describe(self, location: DataLocation) -> DatasetDescription:
        shape = ImageShape(3, HEIGHT, WIDTH)
        return DatasetDescription(("lamp", "moon"), shape, {"test": 6}, "1", "detection")

    def pictures(self, location: DataLocation, split: str) -> Sequence[Picture]:
        level = int(location.find("lamps.txt").read_text())
        return [self._picture(index, level) for index in range(6)] if split == "test" else []

    def _picture(self, index: int, level: int) -> Picture:
        left, side = 4 + 3 * index, 8 + 2 * index
        box = np.array([[left, 5, left + side, 5 + side]], np.float32)

        def read():
            pixels = np.zeros((3, HEIGHT, WIDTH), np.uint8)
            pixels[:, 5 : 5 + side, left : left + side] = level
            return pixels

        objects = Objects(box, np.zeros(1, int), np.full(1, side**2, np.float32), np.zeros(1, bool))
        return Picture(f"{index}.png", HEIGHT, WIDTH, objects, f"{index} {level}", read)


class Brightest(nn.Module):
    """One box around all that is brighter than half of the brightest pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        SEEN.append(images[0].numpy().copy())
        brightness = images[0].amax(0)
        lit = (brightness > brightness.max() / 2).nonzero()
        box = torch.cat([lit.amin(0).flip(0), lit.amax(0).flip(0) + 1]).float()
        return [Found(box[None], torch.ones(1), torch.zeros(1, dtype=torch.int64))]


@dataclass(frozen=True)
class BrightestModel:
    """Finds what is lit."""

    task: ClassVar = "detection"

    def check(self, classes: Sequence[str]) -> None:
        pass

    def files_sha256(self, location: DataLocation) -> str | None:
        return None

    def build(self, classes: Sequence[str], location: DataLocation) -> nn.Module:
        return Brightest()


@hookimpl
def hfcbench_register_datasets(register):
    register("lamps", Lamps, version="1")


@hookimpl
def hfcbench_register_models(register):
    register("brightest", BrightestModel, version="1")


PLUGIN = SimpleNamespace(
    hfcbench_register_datasets=hfcbench_register_datasets,
    hfcbench_register_models=hfcbench_register_models,
)


@pytest.fixture
def loaded():
    return load_plugins({"lamps": PLUGIN}, installed=())


@pytest.fixture
def session(loaded, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "lamps.txt").write_text("250")
    (tmp_path / "street.yaml").write_text(SUITE)
    settings = Settings(
        database=str(tmp_path / "results.db"),
        location=DataLocation(tmp_path / "data"),
        cache_root=tmp_path / "cache",
        device="cpu",
    )
    return Session(loaded, settings)


def run(session, tmp_path, overrides=()):
    plan = session.plan(str(tmp_path / "street.yaml"), overrides)
    _, failures = session.run(plan, Console(file=io.StringIO()))
    assert failures == []
    return plan


@pytest.fixture
def arguments(session, loaded, tmp_path, monkeypatch):
    """The command's arguments but for --data-root, after a run with a data root."""
    monkeypatch.setattr("hfcbench.cli.figures_command.load_plugins", lambda: loaded)
    run(session, tmp_path)
    database, out = (str(tmp_path / name) for name in ("results.db", "figures"))
    return ["figures", str(tmp_path / "street.yaml"), "--db", database, "--out", out]


def drawn(tmp_path):
    return {path.stem for path in (tmp_path / "figures").iterdir() if path.suffix == ".png"}


def test_with_its_pictures(arguments, tmp_path, capsys):
    assert call([*arguments, "--data-root", str(tmp_path / "data")]) == 0
    assert capsys.readouterr().err == ""
    # An LFC has no edges to be exact about.
    assert drawn(tmp_path) == {"detection", "detection-drops-lfc-3"}
    text = (tmp_path / "figures" / "detection-drops-lfc-3.svg").read_text(encoding="utf-8")
    assert "AP 1.00" in text
    assert "lamp 1.00" in text
    table = (tmp_path / "figures" / "detection-gains.md").read_text(encoding="utf-8")
    assert "| brightest | lfc@3 | all | 6 | 0 | 6 | 0 |" in table
    assert "street: lamps; full scale" in table


def test_without_its_pictures_all_else_is_drawn(arguments, tmp_path, capsys):
    assert call(arguments) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("pictures that gain and drop most are left out: lamps: lamps.txt is")
    assert "--data-root" in line
    assert drawn(tmp_path) == {"detection"}
    assert (tmp_path / "figures" / "detection-pictures.csv").is_file()


def test_other_pictures_are_not_drawn_with_these_boxes(arguments, tmp_path, capsys):
    (tmp_path / "data" / "lamps.txt").write_text("200")
    assert call([*arguments, "--data-root", str(tmp_path / "data")]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "dataset lamps has the fingerprint" in line
    assert drawn(tmp_path) == {"detection"}


def test_a_radius_that_was_not_evaluated(arguments, tmp_path, capsys):
    assert call([*arguments, "--radius", "4"]) == 2
    assert "no component is cut at 4" in capsys.readouterr().err
    assert not (tmp_path / "figures").exists()


@pytest.fixture
def site(arguments, loaded, tmp_path, monkeypatch):
    """Makes the site, in a folder, and gives its page on detectors."""
    monkeypatch.setattr("hfcbench.plugins.load_plugins", lambda: loaded)
    suite = "hfcbench.reports.site.detection_pictures._SUITE"
    monkeypatch.setattr(suite, str(tmp_path / "street.yaml"))

    def make(*options):
        out = tmp_path / "site"
        database = str(tmp_path / "results.db")
        assert call(["report", "--db", database, "--out", str(out), *options]) == 0
        return (out / "detection.html").read_text(encoding="utf-8")

    return make


def test_the_site_shows_boxes_where_pictures_are_at_hand(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "data")
    page = site()
    (name,) = [path.name for path in (tmp_path / "site" / "pictures").iterdir()]
    assert f'src="pictures/{name}"' in page
    assert "Largest drops on lfc@3 against the original" in page
    assert "No pictures with boxes" not in page
    assert "<img" not in site("--no-pictures")
    assert not (tmp_path / "site" / "pictures").exists()


def test_the_site_says_why_it_shows_no_boxes(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = site()
    assert "No pictures with boxes: lamps: lamps.txt is missing." in page
    assert "<img" not in page


def test_views_are_what_the_detector_saw(session, loaded, tmp_path):
    SEEN.clear()
    samples = [(("samples", "test"), 3)]
    (node,) = run(session, tmp_path, samples).nodes
    # Picture by picture, all components of each.
    assert len(SEEN) == 3 * 3
    location = DataLocation(tmp_path / "data")
    with open_store(str(tmp_path / "results.db"), read_only=True) as store:
        suite = str(tmp_path / "street.yaml")
        study = read_study(store, loaded.registry, suite, samples, command="", location=location)
    assert study.pictures is not None
    identities = [item.identity for item in node.evaluations]
    for position in range(3):
        views = study.pictures.views(identities, position)
        for view, seen in zip(views, SEEN[3 * position :], strict=False):
            np.testing.assert_allclose(view, seen, atol=1e-6)
