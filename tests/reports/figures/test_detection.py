"""Tables and figures of detectors, from a study made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from hfcbench.detection_types import Detections, PictureSet
from hfcbench.errors import DataError, UsageError
from hfcbench.references import short_labels
from hfcbench.reports.figures.drawing import Drawing, TableOutput, save
from hfcbench.reports.figures.examples import draw_examples
from hfcbench.reports.figures.suites import check_figures, draw
from hfcbench.reports.picture_results import PictureResults
from hfcbench.reports.study import Study
from hfcbench.results.queries.picture_gains import PictureGains

LAMP = [10.0, 10, 30, 30]
FAR = [40.0, 20, 50, 30]
NAMES = ("down.png", "up.png", "equal.png")
PICTURES = PictureSet(
    names=NAMES,
    heights=np.full(3, 40),
    widths=np.full(3, 60),
    counts=np.ones(3, np.int64),
    boxes=np.array([LAMP] * 3, np.float32),
    classes=np.zeros(3, np.int64),
    areas=np.full(3, 400, np.float32),
    crowds=np.zeros(3, bool),
    class_names=("lamp", "moon"),
)
# Boxes, scores and classes in each picture.
RIGHT = ([LAMP], [0.9], [0])
WRONG = ([FAR, LAMP, LAMP], [0.8, 0.5, 0.2], [0, 1, 1])
FOUND = {
    "original": (RIGHT, WRONG, RIGHT),
    "lfc": (WRONG, RIGHT, RIGHT),
    "hfc": (WRONG, WRONG, WRONG),
}


def detections(part: str) -> Detections:
    boxes, scores, classes = zip(*FOUND[part], strict=True)
    return Detections(
        PICTURES,
        np.array([len(one) for one in scores]),
        np.concatenate(boxes).astype(np.float32),
        np.concatenate(scores).astype(np.float32),
        np.concatenate(classes),
    )


def add_scores(builder: Any, *, rescaling: str = "none", radii: Any = (8,), **about: Any) -> None:
    shown = {"metric": "map", "n": 3, "dataset": "lamps", "rescaling": rescaling}
    about = {"model": "retinanet", **about}
    values = [("original", 0.75)]
    values += [(f"{part}@{r}", value) for part, value in (("lfc", 0.5), ("hfc", 0)) for r in radii]
    for component, value in values:
        ends = {"low": value / 2, "high": value + 0.125}
        builder.score(value, component=component, **ends, **shown, **about)
    builder.score(0.875, low=0.5, high=1.0, **shown | {"metric": "ap50"}, **about)
    builder.score(np.nan, **shown | {"metric": "map-large"}, **about)


def with_pictures(study: Study, gains: dict[str, int] | None = None, **changes: Any) -> Study:
    """What :data:`FOUND` gives on every component; only ``gains`` may be said otherwise."""
    scores = study.scores[(study.scores["metric"] == "map")]
    components = scores[scores["part"] != "original"]
    counted, listed = [], []
    for row in components.to_dict("records"):
        more = {"fingerprint": "f", "procedure": "1", "original": 2 / 3}
        low = row["part"] == "lfc"
        counts = (1, 1, 1) if low else (0, 2, 1)
        row |= more | dict(zip(("gains", "drops", "equal"), counts, strict=True)) | {"pictures": 3}
        row["gains"] = (gains or {}).get(row["component"], row["gains"])
        counted.append(row | {"value": 2 / 3 if low else 0.0, "difference": 0 if low else -2 / 3})
        changed = [("gain", 1, "up.png", 0.0, 1.0)] if low else []
        changed += [("drop", 1, "down.png", 1.0, 0.0)]
        changed += [] if low else [("drop", 2, "equal.png", 1.0, 0.0)]
        for change, rank, name, original, value in changed:
            of = {"change": change, "rank": rank, "picture": name, "object_count": 1}
            listed.append(
                row | of | {"original": original, "value": value, "difference": value - original}
            )
    parts = dict(zip(scores["evaluation"], scores["part"], strict=True))

    def read_gains(metric: str, largest: int | None) -> PictureGains:
        assert metric == "map", "nothing else has objects"
        return PictureGains(metric, pd.DataFrame(counted), pd.DataFrame(listed))

    pictures = PictureResults(
        read_gains,
        lambda identity: detections(parts[identity]),
        lambda identities, position: [
            np.full((3, 40, 60), 0.25 if parts[name] == "hfc" else 0.5, np.float32)
            for name in identities
        ],
    )
    return replace(
        study, pictures=replace(pictures, **changes), fingerprints={"lamps": "0123456789abcdef"}
    )


@pytest.fixture
def study(build: ModuleType) -> Study:
    builder = build.StudyBuilder("detection")
    add_scores(builder)
    return with_pictures(builder.study(classes={"lamps": ("lamp", "moon")}))


def examples(study: Study, radius: float | None = None) -> list[Drawing]:
    return [drawing for drawings in draw_examples(study, radius) for drawing in drawings]


def svg(output: Drawing | TableOutput, folder: Path) -> str:
    return " ".join(save(output, folder)[1].read_text(encoding="utf-8").split())


def table(outputs: list[Drawing | TableOutput], name: str) -> TableOutput:
    (found,) = (one for one in outputs if isinstance(one, TableOutput) and one.name == name)
    return found


def rectangles(panel: Any) -> list[Rectangle]:
    """In the order of the panel: objects first, then detections."""
    return [patch for patch in panel.patches if isinstance(patch, Rectangle)]


def test_scores_and_their_intervals(study: Study) -> None:
    found = table(draw(study), "detection")
    assert list(found.frame["component"]) == ["original", "lfc@8", "hfc@8"]
    assert list(found.frame["map"]) == [0.75, 0.5, 0]
    assert list(found.frame["map_low"]) == [0.375, 0.25, 0]
    assert list(found.frame["map_high"]) == [0.875, 0.625, 0.125]
    assert list(found.frame["n"]) == [3, 3, 3]
    assert found.frame["ap50"].iloc[0] == 0.875
    # Nothing is large.
    assert "map-large" not in found.frame
    for expected in ("fingerprint 0123456789ab", "rescaling none", "bootstrap over pictures"):
        assert expected in found.note


def test_several_seeds(build: ModuleType) -> None:
    builder = build.StudyBuilder("detection")
    for seed, value in ((0, 0.25), (1, 0.75)):
        builder.score(value, metric="map", n=3, dataset="lamps", model="retinanet", seed=seed)
    row = table(draw(builder.study()), "detection").frame.iloc[0]
    # 0.5 - 12.706 * 0.25 and 0.5 + 12.706 * 0.25 are no scores.
    assert (row["map"], row["map_low"], row["map_high"], row["seeds"]) == (0.5, 0, 1, 2)


def test_precision_against_the_radius(build: ModuleType, tmp_path: Path) -> None:
    builder = build.StudyBuilder("detection")
    for model in ("retinanet(width=16)", "retinanet(width=32)"):
        add_scores(builder, radii=(4, 8), model=model)
    drawing = draw(builder.study())[1]
    assert isinstance(drawing, Drawing)
    assert drawing.name == "detection"
    assert len(drawing.figure.axes) == 2
    original, low, high = drawing.figure.axes[0].get_lines()[:1] + [
        lines[0] for lines in drawing.figure.axes[0].containers
    ]
    assert list(original.get_ydata()) == [0.75, 0.75]
    assert list(low.get_xdata()) == [4, 8]
    assert list(low.get_ydata()) == [0.5, 0.5]
    assert list(high.get_ydata()) == [0, 0]
    text = svg(drawing, tmp_path)
    for expected in ("mAP", "LFC", "HFC", "original", "retinanet(width=16)", "radius (fft-radial)"):
        assert expected in text


def test_how_many_pictures_gain(study: Study) -> None:
    found = table(draw(study), "detection-gains")
    low, high = found.frame.to_dict("records")
    names = ("component", "objects", "pictures", "gains", "drops", "equal")
    assert [low[name] for name in names] == ["lfc@8", "all", 3, 1, 1, 1]
    assert [high[name] for name in names] == ["hfc@8", "all", 3, 0, 2, 1]
    assert (low["difference"], high["difference"]) == (0, pytest.approx(-2 / 3))


def test_which_pictures_change_most(study: Study) -> None:
    found = table(draw(study), "detection-pictures").frame
    rows = found[["component", "change", "rank", "picture"]].to_numpy().tolist()
    assert rows == [
        ["lfc@8", "gain", 1, "up.png"],
        ["lfc@8", "drop", 1, "down.png"],
        ["hfc@8", "drop", 1, "down.png"],
        ["hfc@8", "drop", 2, "equal.png"],
    ]
    assert list(found["difference"]) == [1, -1, -1, -1]


def test_views_side_by_side(study: Study, tmp_path: Path) -> None:
    gains, drops = examples(study)
    assert [gains.name, drops.name] == ["detection-gains-lfc-8", "detection-drops-lfc-8"]
    original, low, high = gains.figure.axes
    assert [panel.get_title() for panel in (original, low, high)] == [
        *("original", "lfc@8", "hfc@8 + 0.5"),
    ]
    assert original.get_ylabel() == "up.png"
    captions = [panel.get_xlabel() for panel in (original, low, high)]
    assert captions == ["AP 0.00", "AP 1.00 (+1.00)", "AP 0.00 (+0.00)"]
    assert [panel.get_ylabel() for panel in drops.figure.axes[:1]] == ["down.png"]
    np.testing.assert_allclose(original.get_images()[0].get_array(), 0.5)
    np.testing.assert_allclose(high.get_images()[0].get_array(), 0.75)
    text = svg(gains, tmp_path)
    for expected in ("HFC shifted by 0.5", "fingerprint 0123456789ab", "n = 3 images", "1 seed"):
        assert expected in text


def test_boxes_that_find_an_object_are_solid(study: Study) -> None:
    gains, _ = examples(study)
    original, low, _ = gains.figure.axes
    # The object, then what has a score from 0.3, the best one last.
    lamp, second, best = rectangles(original)
    assert lamp.get_bbox().extents.tolist() == LAMP
    assert best.get_bbox().extents.tolist() == FAR
    assert second.get_bbox().extents.tolist() == LAMP
    assert second.get_linestyle() != "-"
    assert best.get_linestyle() != "-"
    assert second.get_edgecolor() != best.get_edgecolor()
    assert [text.get_text() for text in original.texts] == ["lamp 0.80", "moon 0.50"]
    _, right = rectangles(low)
    assert right.get_linestyle() in ("-", "solid")
    assert lamp.get_linewidth() < right.get_linewidth()
    assert [text.get_text() for text in low.texts] == ["lamp 0.90"]


def test_an_hfc_with_the_mean_of_the_picture_is_shown_as_it_is(build: ModuleType) -> None:
    builder = build.StudyBuilder("detection")
    add_scores(builder, rescaling="mean")
    gains, _ = examples(with_pictures(builder.study()))
    assert gains.figure.axes[2].get_title() == "hfc@8"
    np.testing.assert_allclose(gains.figure.axes[2].get_images()[0].get_array(), 0.25)


def test_the_radius_that_most_gain_on_or_the_named_one(build: ModuleType) -> None:
    builder = build.StudyBuilder("detection")
    add_scores(builder, radii=(4, 8, 16))
    study = with_pictures(builder.study(), gains={"lfc@8": 2, "hfc@4": 9})
    assert [one.name for one in examples(study)] == [
        *("detection-gains-lfc-8", "detection-drops-lfc-8"),
    ]
    assert [one.name for one in examples(study, 16)] == [
        *("detection-gains-lfc-16", "detection-drops-lfc-16"),
    ]
    with pytest.raises(UsageError, match="no component is cut at 5\nthere are: 4, 8, 16"):
        draw_examples(study, 5)


def test_two_radii_are_both_shown_for_each_model(build: ModuleType) -> None:
    builder = build.StudyBuilder("detection")
    for model in ("ssd", "retinanet(width=16)"):
        add_scores(builder, radii=(4, 8), model=model)
    names = [one.name for one in examples(with_pictures(builder.study()))]
    assert names[:3] == [f"detection-{one}" for one in ("gains-ssd-lfc-4", "drops-ssd-lfc-4")] + [
        "detection-gains-ssd-lfc-8"
    ]
    assert len(names) == 8
    assert names[-1] == "detection-drops-retinanet-lfc-8"


def test_without_the_dataset_there_are_no_pictures(study: Study) -> None:
    def missing(identities: Any, position: int) -> Any:
        raise DataError("lamps are missing")

    assert study.pictures is not None
    study = replace(study, pictures=replace(study.pictures, views=missing))
    assert len(draw(study)) == 4
    (drawings,) = draw_examples(study)
    with pytest.raises(DataError, match="lamps are missing"):
        next(drawings)


def test_any_suite_with_detectors_has_these_figures(study: Study) -> None:
    assert len(draw(replace(study, suite="street"))) == 4
    check_figures("street", detectors=True)
    with pytest.raises(UsageError, match="no figures of the suite 'street'"):
        check_figures("street")


def test_models_are_named_by_what_differs() -> None:
    labels = ["retinanet(a=1, b=2)", "retinanet(a=1, b=3)", "ssd(weights=coco)"]
    assert short_labels("model", labels) == {
        labels[0]: "retinanet(b=2)",
        labels[1]: "retinanet(b=3)",
        labels[2]: "ssd",
    }
