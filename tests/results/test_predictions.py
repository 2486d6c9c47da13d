"""Per-image predictions: bit-exact, compact, and safe to read from anyone's file."""

from __future__ import annotations

import zlib
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hfcbench.errors import StoreError
from hfcbench.results.writing.predictions import (
    ENCODING,
    PackedArray,
    check_encoding,
    pack_predictions,
    unpack_predictions,
)
from hfcbench.types import Predictions


@st.composite
def any_predictions(draw: st.DrawFn) -> Predictions:
    n = draw(st.integers(0, 40))
    classes = arrays.arrays(np.int64, n, elements=st.integers(-1, 2**40))
    # Every bit pattern, NaNs with payloads, denormals and negative zero among them.
    floats = arrays.arrays(np.uint32, n, elements=st.integers(0, 2**32 - 1))
    return Predictions(
        draw(classes), draw(classes), draw(floats).view("f4"), draw(floats).view("f4")
    )


def assert_identical(left: Predictions, right: Predictions) -> None:
    for name in ("labels", "predicted", "confidence", "loss"):
        expected, found = getattr(left, name), getattr(right, name)
        assert found.dtype == expected.dtype
        assert found.tobytes() == expected.tobytes()


@given(any_predictions())
def test_every_bit_comes_back(predictions: Predictions) -> None:
    assert_identical(unpack_predictions(pack_predictions(predictions)), predictions)


def test_by_hand() -> None:
    one = np.array([1.0, -2.0], np.float32)
    packed = pack_predictions(Predictions(np.array([0, 300]), np.array([3, 255]), one, one))
    assert packed.labels.dtype == "<u2"
    assert packed.predicted == PackedArray("|u1", zlib.compress(b"\x03\xff", 6))
    assert packed.loss.dtype == "<f4"
    # 1.0 is 00 00 80 3f and -2.0 is 00 00 00 c0: first bytes, second bytes, ...
    assert zlib.decompress(packed.loss.data) == b"\x00\x00\x00\x00\x80\x00\x3f\xc0"


def test_big_endian_and_strided_arrays_are_the_same_numbers(build: ModuleType) -> None:
    plain = build.predictions(50)
    odd = Predictions(
        np.repeat(plain.labels, 2)[::2].astype(">i8"),
        plain.predicted.astype(np.uint8),
        plain.confidence,
        plain.loss[::-1].copy()[::-1],
    )
    assert pack_predictions(odd) == pack_predictions(plain)


def test_size_of_ten_thousand_confident_predictions() -> None:
    n = 10_000
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, n)
    confidence = 1 - generator.exponential(0.05, n).clip(0, 0.9).astype(np.float32)
    packed = pack_predictions(Predictions(labels, labels, confidence, -np.log(confidence)))
    size = len(packed.predicted.data) + len(packed.confidence.data) + len(packed.loss.data)
    # int64 and two float32 would be 160,000 bytes.
    assert size < 75_000


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("confidence", np.zeros(100)),
        ("loss", np.zeros(100, np.float16)),
        ("predicted", np.zeros(100, np.float32)),
        ("predicted", np.zeros(99, np.int64)),
        ("loss", np.zeros((100, 1), np.float32)),
    ],
)
def test_wrong_arrays_are_refused(build: ModuleType, name: str, array: np.ndarray) -> None:
    with pytest.raises(StoreError, match=f"'{name}' is "):
        pack_predictions(replace(build.predictions(), **{name: array}))


@pytest.mark.parametrize(
    "damaged",
    [
        PackedArray("|O", zlib.compress(bytes(400))),
        PackedArray("<f4", b"not zlib"),
        PackedArray("<f4", zlib.compress(bytes(399))),
        PackedArray("<f4", zlib.compress(bytes(400))[:-3]),
        PackedArray("<f4", zlib.compress(bytes(50_000_000))),
    ],
    ids=["type", "garbage", "short", "cut", "bomb"],
)
def test_hostile_bytes_are_refused(build: ModuleType, damaged: PackedArray) -> None:
    packed = pack_predictions(build.predictions())
    with pytest.raises(StoreError, match="damaged"):
        unpack_predictions(replace(packed, loss=damaged))


def test_changed_bytes_are_noticed(build: ModuleType) -> None:
    packed = pack_predictions(build.predictions())
    for position in range(len(packed.loss.data)):
        changed = bytearray(packed.loss.data)
        changed[position] ^= 0x10
        with pytest.raises(StoreError, match="damaged"):
            unpack_predictions(replace(packed, loss=PackedArray("<f4", bytes(changed))))


def test_other_encodings_are_refused() -> None:
    check_encoding(ENCODING)
    with pytest.raises(StoreError, match="'pickle'"):
        check_encoding("pickle")
