"""photo-objects: exact boxes, disjoint splits, and classes that differ where they are said to."""

from __future__ import annotations

import hashlib
import math
import pickle
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from hfcbench.datasets import photo_objects
from hfcbench.datasets.photo_objects import PhotoObjects
from hfcbench.datasets.photo_scenes import (
    CLASSES,
    LEAST_VISIBLE,
    Scene,
    draw_scene,
    draw_thing,
    render,
)
from hfcbench.datasets.photo_things import FULL, Thing, silhouette_of
from hfcbench.errors import SpecificationError
from hfcbench.plugins import load_plugins
from hfcbench.types import DataLocation, ImageShape

HERE = DataLocation()
SMALL = PhotoObjects(train=30, test=30)


@pytest.fixture(scope="module")
def pictures():
    return SMALL.pictures(HERE, "test")


def thing(**changes) -> Thing:
    plain = draw_thing(0, 160, 160, np.random.default_rng(5))
    return replace(plain, x=80.3, y=79.1, **changes)


def test_it_is_as_described(pictures):
    description = SMALL.describe(HERE)
    assert description.task == "detection"
    assert description.classes == CLASSES
    assert description.sizes == {"train": 30, "test": 30}
    assert description.shape == ImageShape(3, 160, 192)
    assert {(p.height, p.width) for p in pictures} == {(160, 160), (160, 192), (144, 160)}
    assert len({p.name for p in pictures}) == 30
    counts = {len(p.objects) for p in pictures}
    assert counts == {0, 1, 2, 3, 4, 5}
    for picture in pictures:
        pixels = picture.read()
        assert pixels.shape == (3, picture.height, picture.width)
        assert pixels.dtype == np.uint8
        assert picture.content == hashlib.sha256(pixels.tobytes()).hexdigest()


def test_objects_of_every_class_and_size_occur():
    objects = [p.objects for p in PhotoObjects(test=120).pictures(HERE, "test")]
    classes = np.bincount(np.concatenate([o.classes for o in objects]), minlength=6)
    assert classes.min() > 30
    areas = np.concatenate([o.areas for o in objects])
    assert (areas < 32**2).sum() > 80
    assert ((areas >= 32**2) & (areas < 96**2)).sum() > 80
    assert (areas >= 96**2).sum() > 3


def test_boxes_are_tight_around_what_is_visible():
    for index in range(30):
        scene = SMALL.scene("test", index)
        height, width = scene.owners.shape
        for number, (left, top, right, bottom) in enumerate(scene.objects.boxes.astype(int)):
            mask = scene.owners == number
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            # All of the object is inside, and each edge touches it.
            assert mask[top:bottom, left:right].sum() == mask.sum() == scene.objects.areas[number]
            assert mask[top].any()
            assert mask[bottom - 1].any()
            assert mask[:, left].any()
            assert mask[:, right - 1].any()
        assert not scene.objects.crowds.any()


def test_boxes_fit_the_pixels_of_single_things():
    black = np.zeros((160, 160, 3), dtype=np.uint8)
    checked = 0
    for seed in range(40):
        scene = draw_scene(black, np.random.default_rng(seed))
        if len(scene.objects) != 1:
            continue
        checked += 1
        rows, columns = np.nonzero(scene.pixels.max(axis=0))
        touched = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        # Pixels that are covered by less than half lie outside of the box, one row at most.
        np.testing.assert_allclose(scene.objects.boxes[0], touched, atol=1)
    assert checked > 4


def test_every_thing_is_visible_enough(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "hfcbench.datasets.photo_scenes.paint",
        lambda thing, silhouette, _: drawn.append(silhouette),
    )
    grey = np.zeros((160, 192, 3), dtype=np.uint8)
    for seed in range(60):
        drawn.clear()
        scene = draw_scene(grey, np.random.default_rng(seed))
        assert len(drawn) == len(scene.objects)
        for silhouette, area in zip(drawn, scene.objects.areas, strict=True):
            assert area >= LEAST_VISIBLE * (silhouette.coverage >= FULL / 2).sum()


@pytest.mark.parametrize(
    ("shape", "share"),
    [("disc", math.pi), ("ring", 0.7 * math.pi), ("square", 1.76**2), ("triangle", 1.8 * 0.95)],
)
@pytest.mark.parametrize("tilt", [-0.2, 0.0, 0.13])
def test_areas_are_those_of_geometry(shape, share, tilt):
    silhouette = silhouette_of(thing(shape=shape, radii=(33.0, 27.0), tilt=tilt))
    area = silhouette.coverage.sum() / FULL
    assert area == pytest.approx(share * 33 * 27, rel=0.005)
    assert not silhouette.coverage[[0, -1]].any()
    assert not silhouette.coverage[:, [0, -1]].any()
    assert silhouette.coverage.max() == FULL


def test_a_turned_ellipse_reaches_as_far_as_geometry_says():
    tilt = 0.15
    angle = 2 * math.atan(tilt)
    silhouette = silhouette_of(thing(shape="disc", radii=(40.0, 20.0), tilt=tilt))
    _, columns = np.nonzero(silhouette.coverage >= FULL / 2)
    half = math.hypot(40 * math.cos(angle), 20 * math.sin(angle))
    assert silhouette.left + columns.min() == pytest.approx(80.3 - half, abs=0.75)
    assert silhouette.left + columns.max() + 1 == pytest.approx(80.3 + half, abs=0.75)


def test_the_same_pictures_come_every_time_and_others_with_another_seed(pictures):
    again = PhotoObjects(train=1, test=10).pictures(HERE, "test")
    for first, second in zip(pictures, again, strict=False):
        assert (first.name, first.content) == (second.name, second.content)
        np.testing.assert_array_equal(first.objects.boxes, second.objects.boxes)
    other = PhotoObjects(test=10, seed=1).pictures(HERE, "test")
    train = SMALL.pictures(HERE, "train")
    contents = [p.content for p in (*pictures, *other, *train)]
    assert len(set(contents)) == 70


def test_pictures_can_go_to_other_processes(pictures):
    read = pickle.loads(pickle.dumps(pictures[3].read))
    np.testing.assert_array_equal(read(), pictures[3].read())


def test_pictures_are_those_of_version_1():
    """Results of one version belong together: if this fails, it is another version's dataset."""
    digest = hashlib.sha256()
    for split in ("train", "test"):
        for picture in PhotoObjects(train=12, test=12).pictures(HERE, split):
            digest.update(picture.content.encode())
            digest.update(picture.objects.boxes.tobytes() + picture.objects.classes.tobytes())
    assert digest.hexdigest() == (
        "34b051684469990762dfbd5394b07b53d0ea67d5bc0f65a45d3169970ba79cfc"
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_no_pixel_of_a_photograph_is_in_both_splits(monkeypatch, seed):
    real = photo_objects.photograph_of

    @cache
    def places(name: str) -> np.ndarray:
        """Each pixel says where in its photograph it lies."""
        height, width, _ = real(name).shape
        number = photo_objects.PHOTOGRAPHS.index(name)
        y, x = np.mgrid[:height, :width]
        return np.stack([x % 256, y % 256, 100 * (x // 256) + number], axis=-1).astype(np.uint8)

    monkeypatch.setattr(photo_objects, "_photograph", places)
    monkeypatch.setattr(
        photo_objects, "draw_scene", lambda background, _: Scene(background, None, None)
    )
    dataset = PhotoObjects(seed=seed)
    found = {}
    for split in ("train", "test"):
        # Which columns, of which photograph: those of the first row are those of all rows.
        rows = [dataset.scene(split, index).pixels[0] for index in range(100)]
        found[split] = {(x, last) for row in rows for x, _, last in row.tolist()}
        assert {last % 100 for _, last in found[split]} == set(range(10))
    assert not found["train"] & found["test"]


def pixels_of(one: Thing) -> np.ndarray:
    photograph = photo_objects.photograph_of("camera")[100:260, 100:260]
    return render(photograph, [one], [silhouette_of(one)]).astype(np.float64)


def share_below(difference: np.ndarray, radius: float) -> float:
    """The share of energy at frequencies nearer to DC than ``radius`` cycles per picture."""
    energy = np.abs(np.fft.fft2(difference)) ** 2
    y, x = (np.fft.fftfreq(side) * side for side in difference.shape[1:])
    near = np.hypot(y[:, None], x[None, :]) < radius
    return float(energy[:, near].sum() / energy.sum())


@pytest.mark.parametrize("radius", [9.0, 20.0, 50.0])
def test_squares_differ_in_low_frequencies_only(radius):
    square = thing(shape="square", radii=(radius, radius), swelling=45.0)
    light, dark = pixels_of(square), pixels_of(replace(square, swelling=-45.0))
    assert light.mean() > dark.mean()
    assert share_below(light - dark, 24) > 0.995


@pytest.mark.parametrize("radius", [9.0, 20.0, 50.0])
@pytest.mark.parametrize("direction", range(4))
def test_discs_differ_in_high_frequencies_only(radius, direction):
    disc = thing(shape="disc", radii=(radius, radius), direction=direction, texture="stripes")
    difference = pixels_of(disc) - pixels_of(replace(disc, texture="checks"))
    assert np.abs(difference).max() > 20
    assert share_below(difference, 24) < 0.015


def test_nothing_else_gives_a_class_away():
    for seed in range(200):
        things = [draw_thing(k, 160, 160, np.random.default_rng(seed)) for k in range(6)]
        triangle, ring, striped, checked, light, dark = things
        assert [one.shape for one in things] == [
            *("triangle", "ring", "disc", "disc", "square", "square")
        ]
        assert replace(ring, shape="triangle") == triangle
        assert (striped.texture, checked.texture) == ("stripes", "checks")
        assert replace(striped, shape="triangle", texture=triangle.texture) == triangle
        assert replace(checked, texture="stripes") == striped
        assert light.swelling == -dark.swelling == abs(triangle.swelling)
        assert replace(light, shape="triangle", swelling=triangle.swelling) == triangle
        assert replace(dark, swelling=light.swelling) == light


def test_no_thing_is_ever_cut_at_black_or_white():
    """Cutting would carry traces of a texture into low frequencies."""
    grey = np.full((160, 160, 3), 128, dtype=np.uint8)
    for seed in range(200):
        drawn = draw_thing(seed % 6, 160, 160, np.random.default_rng(seed))
        one = replace(drawn, x=80, y=80, opacity=1.0)
        pixels = render(grey, [one], [silhouette_of(one)])
        assert 0 < pixels.min() < pixels.max() < 255


def test_its_parameters_have_limits():
    schema = load_plugins(installed=()).registry.get("dataset", "photo-objects").schema
    assert schema.validate({}) == {"train": 400, "test": 120, "size": 160, "seed": 0}
    for wrong in ({"size": 200}, {"test": 0}, {"train": -1}, {"train": 10**6}):
        with pytest.raises(SpecificationError, match=next(iter(wrong))):
            schema.validate(wrong)


def test_the_smallest_pictures_work():
    for index in range(20):
        scene = PhotoObjects(size=80).scene("train", index)
        assert scene.pixels.shape[1] in (80, 72)
