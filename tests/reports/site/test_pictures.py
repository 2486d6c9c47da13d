"""Kernels and example images on the pages of trainings, from the database alone."""

from __future__ import annotations

import html
import io
import re

import build_records as build
import numpy as np
import pytest
from PIL import Image

from hfcbench.cli.main import call
from hfcbench.quantities import Axis, Quantity
from hfcbench.results.opening import open_store
from hfcbench.types import DatasetDescription, ImageShape

CLASSES = ("<b>cat</b>", "dog")
IMAGE = re.compile(r'<img src="\.\./([^"]+)" alt="([^"]+)" width="(\d+)" height="(\d+)" loading')
NONE_HELD = "The database holds neither kernels nor example images of this training."


def quantity(name, values):
    axes = [
        Axis(str(place), "", tuple(map(float, range(n)))) for place, n in enumerate(values.shape)
    ]
    return Quantity(name, "", values, tuple(axes))


def kernels():
    """Two filters of one channel and 1 x 2 pixels: black and white, mid-grey and white."""
    return quantity("kernels", np.array([[[[-0.5, 0.5]]], [[[0.0, 0.5]]]], np.float32))


def conflict():
    """One constant image of the first class, taken for the second one in its LFC."""
    grey = np.full((1, 1, 8, 8), 51, np.uint8)
    return (
        quantity("high-examples", grey),
        quantity("high-labels", np.array([0])),
        quantity("high-answers", np.array([[0, 1, 0]])),
        quantity("high-confidences", np.array([[0.75, 0.5, 0.25]], np.float32)),
    )


@pytest.fixture
def analysed(tmp_path):
    """A database with a training that was analysed, and one that was not."""
    description = DatasetDescription(CLASSES, ImageShape(1, 8, 8), {"test": 100}, "made")
    with open_store(tmp_path / "results.db", create=True) as store:
        store.add_dataset(build.dataset(description=description))
        run_id = store.begin_run(build.run())
        training = build.training()
        for one in (training, build.training(model="alexnet")):
            store.add_training(one, run_id)
        clean = {"attack": "none", "epsilon": None}
        found = (
            ("first-layer-kernels", (kernels(),)),
            ("prediction-conflicts(cutoff=2.0)", conflict()),
        )
        for name, quantities in found:
            record = build.analysis(training, name, quantities=quantities, **clean)
            store.add_analyses([record], run_id)
    return tmp_path / "results.db"


def written(database, out, *more):
    assert call(["report", "--db", str(database), "--out", str(out), *more]) == 0
    pages = sorted((out / "trainings").glob("*.html"), key=lambda path: "dog" in path.read_text())
    return [path.read_text(encoding="utf-8") for path in pages]


def test_pictures_are_files_with_their_size_and_words(analysed, tmp_path):
    _, page = written(analysed, tmp_path / "site")
    (first, *_), (strip, *words) = shown = IMAGE.findall(page)
    for source, _, width, height in shown:
        content = (tmp_path / "site" / source).read_bytes()
        assert Image.open(io.BytesIO(content)).size == (int(width), int(height))
    drawn = np.asarray(Image.open(tmp_path / "site" / first))
    # Enlarged by whole numbers: black, white, a white gap, mid-grey, white.
    times = drawn.shape[0]
    assert drawn[0, ::times, 0].tolist() == [0, 255, 255, 128, 255]
    assert html.unescape(words[0]).startswith("an image of <b>cat</b>, its LFC and its HFC at 2")
    text = html.unescape(page)
    assert "Predicted, original: <b>cat</b>, 75%; LFC: dog, 50%; HFC: <b>cat</b>, 25%." in text
    assert "<b>cat</b>" not in page
    # A constant image is its own LFC; nothing of it is left in its HFC, shown around mid-grey.
    views = np.asarray(Image.open(tmp_path / "site" / strip))[:, :, 0]
    middles = [views[10, views.shape[1] * part // 6] for part in (1, 3, 5)]
    assert middles == [51, 51, 128]


def test_a_training_without_any_says_so(analysed, tmp_path):
    page, _ = written(analysed, tmp_path / "site")
    assert NONE_HELD in page
    assert "<img" not in page


def test_pictures_can_be_left_out(analysed, tmp_path):
    written(analysed, tmp_path / "site")
    pages = written(analysed, tmp_path / "site", "--no-pictures")
    assert not any("<img" in page or NONE_HELD in page for page in pages)
    # Those of the former report are gone.
    assert not (tmp_path / "site" / "pictures").exists()


def test_the_same_database_makes_the_same_bytes(analysed, tmp_path):
    for name in ("one", "other"):
        written(analysed, tmp_path / name)
    one, other = (sorted((tmp_path / name / "pictures").iterdir()) for name in ("one", "other"))
    assert [path.name for path in one] == [path.name for path in other]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


@pytest.mark.parametrize("suite", ["smoke", "classification"])
def test_suites_that_need_no_files_store_what_pages_show(tmp_path, suite):
    database = tmp_path / "results.db"
    shrunk = "--epochs 1 --train-samples 100 --test-samples 40 --attack-samples 5 --defence none"
    shrunk += " --attack fgsm --component original --set curves.components=[original]"
    shrunk += " --model lenet5 --heuristic vanilla"
    assert call(["run", "--suite", suite, "--db", str(database), *shrunk.split()]) == 0
    (page,) = written(database, tmp_path / "site")
    alternatives = [words for _, words, _, _ in IMAGE.findall(page)]
    assert any("kernels of the first convolution" in words for words in alternatives)
    assert any(words.endswith("its LFC and its HFC at 8, side by side") for words in alternatives)
