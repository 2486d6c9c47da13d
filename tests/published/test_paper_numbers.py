"""The published numbers, and what a study's setting differs in from the paper's."""

from __future__ import annotations

import pytest

from hfcbench.published_results.paper_numbers import TABLE_1, TABLE_2, Cell
from hfcbench.published_results.settings import Setting, note_on, schedule_text
from hfcbench.types import Schedule


def test_published_numbers_are_where_the_paper_has_them():
    assert len(TABLE_1) == 8
    assert (TABLE_1["lfc@16"].train, TABLE_1["lfc@16"].test) == (0.9839, 0.7714)
    assert (TABLE_1["hfc@8"].train, TABLE_1["hfc@8"].test) == (0.9768, 0.092)
    assert len(TABLE_2) == 70
    assert TABLE_2[Cell("natural", 0.0, "none", None)] == 0.856
    assert TABLE_2[Cell("natural", 0.25, "fgsm", 0.03)] == 0.16
    assert TABLE_2[Cell("adversarial", 0.5, "pgd", 0.06)] == 0.121
    assert TABLE_2[Cell("adversarial", 1.0, "pgd", 0.09)] == 0.131


def setting(**changes):
    paper = {
        "dataset": "cifar10", "scale": "full", "models": ("preact-resnet32",),
        "epochs": (100, 300), "images": (50_000, 50_000), "available": 50_000,
        "tested": (10_000, 10_000), "attacked": (10_000, 10_000),
        "schedules": (schedule_text(vars(Schedule())),), "seeds": 1,
    }  # fmt: skip
    return Setting(**paper | changes)


def test_the_papers_own_setting_differs_in_nothing():
    assert setting().differences() == []
    assert setting(attacked=(0, 0)).differences() == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"dataset": "image-folder:cifar10-jpeg"}, "JPEG"),
        ({"dataset": "mnist"}, "mnist instead of CIFAR-10"),
        ({"models": ("lenet5",)}, "lenet5 instead of"),
        ({"epochs": (10, 30)}, "10 to 30 epochs instead of 100"),
        ({"images": (5_000, 5_000)}, "5,000 training images instead of 50,000"),
        ({"attacked": (200, 200)}, "200 attacked images"),
        ({"schedules": ("SGD, learning rate 0.1, batches of 50",)}, "SGD, learning rate 0.1"),
    ],
)
def test_every_difference_is_said_alone(changes, says):
    (said,) = setting(**changes).differences()
    assert says in said


def test_a_detector_that_knows_its_test_pictures_is_marked():
    remembered = "trained on the very pictures that it is tested on"
    assert remembered in note_on("coco(train=val2017)")
    assert remembered in note_on("coco(test=val2014, train=val2014)")
    assert remembered not in note_on("coco(train=train2017)")
    assert remembered not in note_on("coco")
