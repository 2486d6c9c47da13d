"""Pickles of arrays are read, others are not run."""

from __future__ import annotations

import io
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from hfcbench_detectron2.arrays_only import ArraysOnly


def read(content):
    return ArraysOnly(io.BytesIO(content), encoding="latin1").load()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_come_back(protocol):
    arrays = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.asfortranarray(np.ones((2, 2), dtype=np.float64)),
        "c": np.int64(7),
        "empty": np.zeros((0, 4), dtype=np.float32),
    }
    found = read(pickle.dumps({"model": arrays, "__author__": "someone"}, protocol=protocol))
    assert found["__author__"] == "someone"
    for name, array in arrays.items():
        np.testing.assert_array_equal(found["model"][name], array)
        assert found["model"][name].dtype == array.dtype


def test_the_names_of_numpy_1_are_known():
    content = pickle.dumps(np.arange(3.0), protocol=2)
    old = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert old != content
    np.testing.assert_array_equal(read(old), np.arange(3.0))


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_nothing_else_is_run(tmp_path):
    for thing, name in (
        (Harmful(tmp_path / "made"), "posix.mkdir|nt.mkdir"),
        (OrderedDict(a=1), "collections.OrderedDict"),
        (np.array([Harmful(tmp_path / "made")], dtype=object), "mkdir"),
    ):
        with pytest.raises(pickle.UnpicklingError, match=name):
            read(pickle.dumps({"model": thing}, protocol=2))
    assert not (tmp_path / "made").exists()
