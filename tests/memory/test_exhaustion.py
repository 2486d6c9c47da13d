"""What counts as running out of memory, and what is said about it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.errors import NodeError
from hfcbench.memory.exhaustion import explained, is_out_of_memory, whole_batch_error


@pytest.mark.parametrize("kind", ["cuda", "mps", "cpu", "windows", "python"])
def test_what_torch_and_python_raise_is_known(kind, errors):
    assert is_out_of_memory(errors[kind]())


def test_what_they_raise_here_is_known():
    # More than any machine has: refused at once.
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**16, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)
    with pytest.raises(MemoryError) as refused:
        np.empty(10**16, np.uint8)
    assert is_out_of_memory(refused.value)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
        ValueError("MPS backend out of memory"),
        NodeError("out of memory"),
    ],
)
def test_everything_else_stays_what_it_is(error):
    assert not is_out_of_memory(error)
    assert explained(error) is error


@pytest.mark.parametrize(
    ("kind", "asked"),
    [("cuda", "2.50 GiB"), ("mps", "512.00 MB"), ("cpu", "3.00 GiB"), ("windows", "3.00 GiB")],
)
def test_the_message_says_what_did_not_fit_how_much_was_asked_and_what_to_do(kind, asked, errors):
    told = explained(errors[kind](), "with one image of 3x8x8 in the model")
    assert isinstance(told, NodeError)
    assert told.what == f"out of memory with one image of 3x8x8 in the model (asked for {asked})"
    assert ("--device cpu" in str(told.hint)) == (kind in ("cuda", "mps"))
    assert "a smaller model" in str(told.hint)
    batch = whole_batch_error(errors[kind](), "at a batch of 8 images")
    assert asked in batch.what
    assert "--batch-size" in str(batch.hint)


@pytest.mark.parametrize(
    ("count", "asked"), [(2**32, "4.00 GiB"), (1536 * 2**10, "1.50 MiB"), (2**10, "1.00 KiB")]
)
def test_bytes_are_told_in_units_of_their_size(count, asked):
    error = RuntimeError(
        f"DefaultCPUAllocator: can't allocate memory: you tried to allocate {count} bytes."
    )
    assert f"(asked for {asked})" in str(explained(error))


def test_a_message_without_a_number_is_told_without_one(errors):
    assert str(explained(errors["python"]())).startswith("out of memory\n")
