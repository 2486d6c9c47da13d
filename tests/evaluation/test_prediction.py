"""Answers per image, against numpy in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.errors import NodeError
from hfcbench.evaluation.prediction import NO_CLASS, PredictionBuffer, answers, checked_logits

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
def test_answers_are_those_computed_by_hand(dtype):
    generator = np.random.default_rng(0)
    logits = torch.from_numpy(generator.normal(0, 3, (40, 5))).to(dtype)
    labels = generator.integers(0, 5, 40)
    predicted, confidence, loss = answers(logits, torch.from_numpy(labels)).numpy()

    exact = logits.double().numpy()
    probabilities = np.exp(exact) / np.exp(exact).sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(predicted, exact.argmax(axis=1))
    np.testing.assert_allclose(confidence, probabilities.max(axis=1), atol=1e-6)
    np.testing.assert_allclose(loss, -np.log(probabilities[np.arange(40), labels]), atol=1e-5)


def test_huge_logits_do_not_overflow():
    values = answers(torch.tensor([[3e38, -3e38], [0.0, 1e5]]), torch.tensor([0, 0]))
    assert values.tolist() == [[0.0, 1.0], [1.0, 1.0], [0.0, 1e5]]


@pytest.mark.parametrize("row", [[NAN, 1.0], [1.0, NAN], [NAN, NAN], [INF, 1.0], [-INF, -INF]])
def test_logits_without_probabilities_are_never_right(row):
    for label in (0, 1):
        values = answers(torch.tensor([row, [0.0, 2.0]]), torch.tensor([label, 1]))
        assert values[0].tolist() == [NO_CLASS, 1.0]
        assert values[1:, 0].isnan().all()
        assert values[1:, 1].isfinite().all()


def test_a_class_ruled_out_is_an_answer():
    values = answers(torch.tensor([[-INF, 1.0]] * 2), torch.tensor([0, 1]))
    assert values.tolist() == [[1.0, 1.0], [1.0, 1.0], [INF, 0.0]]


@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (torch.ones(4, 3), r"shape \(4, 3\) for 5 images; expected \(5, 3\)"),
        (torch.ones(5, 2), r"shape \(5, 2\) for 5 images"),
        (torch.ones(5), r"shape \(5,\)"),
        (torch.ones(5, 3, 1), r"shape \(5, 3, 1\)"),
        ((torch.ones(5, 3),), "returned tuple instead of logits"),
    ],
)
def test_what_is_no_logits_is_named(logits, message):
    with pytest.raises(NodeError, match=f"^the one .*{message}"):
        checked_logits(logits, 5, 3, "the one")


def test_any_number_of_classes_will_do_where_none_is_expected():
    assert checked_logits(torch.ones(5, 9), 5, None, "it").shape == (5, 9)


def test_batches_are_kept_in_their_places():
    buffer = PredictionBuffer(np.array([1, 0, 1]))
    buffer.put(2, np.array([[1], [0.5], [0.25]], dtype=np.float32))
    buffer.put(0, np.array([[NO_CLASS, 1], [NAN, 0.75], [NAN, 2]], dtype=np.float32))
    kept = buffer.predictions()
    assert kept.predicted.tolist() == [-1, 1, 1]
    assert kept.predicted.dtype == np.int64
    np.testing.assert_array_equal(kept.confidence, np.array([NAN, 0.75, 0.5], dtype=np.float32))
    np.testing.assert_array_equal(kept.loss, np.array([NAN, 2, 0.25], dtype=np.float32))
    assert kept.labels.tolist() == [1, 0, 1]
