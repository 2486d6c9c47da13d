"""A folder in which a reader of the documentation might be, with results of three small runs."""

from __future__ import annotations

import shlex
import shutil

import numpy as np
import pytest
from PIL import Image
from stand_ins import TINY_DETECTION, TINY_STUDY

from hfcbench.cli.main import call

RUNS = (
    "run --suite classification --model lenet5 --heuristic vanilla --heuristic batchnorm "
    "--epochs 2 --train-samples 200 --test-samples 60 --attack-samples 20 --defence none "
    "--defence 'kernel-smoothing(rho=0.1)'",
    f"run --suite paper/fig7 --scale quick {TINY_STUDY}",
    f"run --suite detection {TINY_DETECTION}",
)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Where datasets of the documentation's commands are decoded to."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory, cache):
    """The folder: results.db with its checkpoints, copies of it, and images of two classes."""
    folder = tmp_path_factory.mktemp("prepared")
    for command in RUNS:
        places = ("--db", str(folder / "results.db"), "--cache-dir", str(cache))
        assert call([*shlex.split(command), *places]) == 0, command
    (folder / "runs").mkdir()
    for copy in ("other.db", "cifar10.db", "runs/results.db"):
        shutil.copy(folder / "results.db", folder / copy)
    write_photos(folder / "photos")
    return folder


def write_photos(folder):
    """Noise of two brightnesses as image files, in a folder for each split and class."""
    generator = np.random.default_rng(0)
    for split, count in (("train", 20), ("test", 10)):
        for place, name in enumerate(("cat", "dog")):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(100 * place, 100 * place + 100, (40, 48, 3))
                image = Image.fromarray(pixels.astype(np.uint8))
                image.save(folder / split / name / f"{number}.png")


@pytest.fixture
def folder(prepared, tmp_path, monkeypatch):
    """A copy of the prepared folder, which is the working folder."""
    shutil.copytree(prepared, tmp_path / "reader")
    monkeypatch.chdir(tmp_path / "reader")
    return tmp_path / "reader"
