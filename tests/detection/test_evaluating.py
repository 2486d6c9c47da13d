"""All views of a picture in one pass, whoever else is evaluated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from hfcbench.decompositions.fft_radial import FFTRadial
from hfcbench.detection.evaluating import evaluate_detector
from hfcbench.detection_types import Detections, Found
from hfcbench.errors import DataError, NodeError
from hfcbench.evaluation.cells import Cell, CellFailure
from hfcbench.frequency.components import Component
from hfcbench.frequency.masks import radial_mask
from hfcbench.sampling import chosen_images

CLASSES = ("dim", "bright")
CPU = torch.device("cpu")
LOW = Component(FFTRadial(), 0, 6.0)
HIGH = Component(FFTRadial(), 1, 6.0)


def evaluated(module, pictures, cells):
    """Detections by key; a failure where there are none."""
    found = evaluate_detector(module, pictures, CLASSES, cells, device=CPU)
    return {key: getattr(answer, "predictions", answer) for key, answer in found.items()}


@pytest.fixture
def pictures(make_picture):
    return [make_picture(0), make_picture(1), make_picture(2, objects=0), make_picture(3)]


def test_what_is_found_in_each_picture(detector, pictures):
    found = evaluated(detector, pictures, [Cell("a")])["a"]

    assert isinstance(found, Detections)
    assert found.counts.tolist() == [1, 1, 0, 1]
    assert found.classes.tolist() == [0, 1, 1]
    np.testing.assert_array_equal(
        found.boxes, np.concatenate([item.objects.boxes for item in pictures])
    )
    np.testing.assert_allclose(found.scores, np.array([120, 240, 240], np.float32) / 255)
    assert found.pictures.names == ("000.png", "001.png", "002.png", "003.png")
    assert found.pictures.counts.tolist() == [1, 1, 0, 1]
    assert found.pictures.heights.tolist() == [32, 36, 40, 32]


class Watching(nn.Module):
    """Finds nothing, and keeps what it was shown."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def forward(self, images):
        self.shown.append(images.clone())
        none = torch.zeros(0)
        return [Found(none.view(0, 4), none, none.long())] * len(images)


def test_components_are_those_of_the_whole_picture_at_its_own_size(pictures):
    watching = Watching()
    decoded = []
    counted = [
        replace(item, read=lambda item=item: decoded.append(item.name) or item.read())
        for item in pictures
    ]
    evaluated(watching, counted, [Cell("original"), Cell("low", LOW), Cell("high", HIGH)])

    assert decoded == [item.name for item in pictures]
    for number, item in enumerate(pictures):
        original, low, high = watching.shown[3 * number : 3 * number + 3]
        pixels = item.read() / 255
        mask = radial_mask(item.height, item.width, 6)
        spectrum = np.fft.fftshift(np.fft.fft2(pixels), axes=(1, 2)) * mask
        expected = np.fft.ifft2(np.fft.ifftshift(spectrum, axes=(1, 2))).real
        np.testing.assert_allclose(original[0], pixels, atol=1e-6)
        np.testing.assert_allclose(low[0], expected, atol=1e-5)
        np.testing.assert_allclose(high[0], pixels - expected, atol=1e-5)


def test_no_cell_depends_on_the_others(detector, pictures):
    cells = [Cell("a"), Cell("b", LOW), Cell("c", HIGH), Cell("d", samples=2)]
    together = evaluated(detector, pictures, cells)
    for cell in cells:
        alone = evaluated(detector, pictures, [cell])[cell.key]
        for name in ("counts", "boxes", "scores", "classes"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(together[cell.key], name))


def test_samples_are_the_same_pictures_as_everywhere(detector, pictures):
    found = evaluated(detector, pictures, [Cell("a", samples=3)])["a"]
    assert found.pictures.names == tuple(
        pictures[position].name for position in chosen_images(4, 3)
    )


class Darker:
    """A defence that lets a third of the light through."""

    def defend(self, model):
        return nn.Sequential(Third(), model)


class Third(nn.Module):
    def forward(self, images):
        return images / 3


class Broken:
    def defend(self, model):
        raise RuntimeError("no defence today")


def test_a_defended_detector_sees_what_the_defence_lets_through(detector, pictures):
    found = evaluated(
        detector, pictures, [Cell("a"), Cell("b", defence=Darker(), defence_key="darker")]
    )
    assert found["a"].classes.tolist() == [0, 1, 1]
    assert found["b"].classes.tolist() == [0, 0]  # dim squares are gone, bright ones look dim


def test_a_failure_takes_only_its_own_cells_with_it(detector, pictures):
    found = evaluated(
        detector, pictures, [Cell("a"), Cell("b", defence=Broken(), defence_key="broken")]
    )
    assert isinstance(found["a"], Detections)
    assert isinstance(found["b"], CellFailure)
    assert "no defence today" in str(found["b"].error)


class Answers(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, images):
        return self.answer


def found_of(boxes, scores, classes):
    return Found(torch.tensor(boxes), torch.tensor(scores), torch.tensor(classes))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (torch.zeros(1, 10), "Tensor instead of one Found"),
        ([], "list instead of one Found"),
        ([found_of([[0.0, 0, 1, 1]], [0.5, 0.4], [0, 1])], "the shapes"),
        ([found_of([[0.0, 0, 1, 1]], [0.5], [2])], "classes 2 to 2; the dataset has 0 to 1"),
        ([found_of([[0.0, 0, 1, 1]], [0.5], [-1])], "classes -1 to -1"),
    ],
)
def test_what_is_no_answer(pictures, answer, message):
    failure = evaluated(Answers(answer), pictures, [Cell("a")])["a"]
    assert isinstance(failure, CellFailure)
    assert isinstance(failure.error, NodeError)
    assert message in str(failure.error)


def test_the_best_hundred_count_and_equals_keep_their_order(pictures):
    scores = torch.cat([torch.full((60,), 0.5), torch.full((60,), 0.9), torch.tensor([np.nan])])
    boxes = torch.arange(121.0)[:, None].expand(121, 4)
    answer = [Found(boxes, scores, torch.zeros(121, dtype=torch.int64))]
    found = evaluated(Answers(answer), pictures[:1], [Cell("a")])["a"]
    assert found.counts.tolist() == [100]
    assert found.boxes[:, 0].tolist() == [*range(60, 120), *range(40)]


def test_a_picture_of_another_size_than_said_ends_the_evaluation(detector, pictures):
    with pytest.raises(DataError, match=r"000\.png is uint8 of shape \(3, 32, 40\)"):
        evaluated(detector, [replace(pictures[0], height=33)], [Cell("a")])


def test_cells_need_keys_of_their_own_and_no_attack(detector, pictures):
    with pytest.raises(ValueError, match="distinct"):
        evaluated(detector, pictures, [Cell("a"), Cell("a", LOW)])
    with pytest.raises(ValueError, match="not attacked"):
        evaluated(detector, pictures, [Cell("a", attack=object(), epsilon=0.1)])


def test_progress_counts_pictures(detector, pictures):
    seen = []
    evaluate_detector(
        detector,
        pictures,
        CLASSES,
        [Cell("a", samples=2)],
        device=CPU,
        on_picture=lambda done, all_of_them: seen.append((done, all_of_them)),
    )
    assert seen == [(1, 2), (2, 2)]
