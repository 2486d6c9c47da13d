"""Devices are found or named as missing; randomness has one source per purpose."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hfcbench.devices import (
    choose_device,
    derived_seed,
    deterministic,
    generator_for,
    seeded,
    to_device,
)
from hfcbench.errors import UsageError


def test_auto_is_a_device_of_this_machine():
    assert torch.zeros(2, device=choose_device("auto")).sum() == 0
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("text", ["gpu", "cuda:x", "cpu:one", "", "cuda:99"])
def test_what_is_not_there_is_named(text):
    with pytest.raises(UsageError, match=r"no device|no CUDA device"):
        choose_device(text)


def test_purposes_have_their_own_seeds():
    seeds = {derived_seed(seed, purpose, n) for seed in (0, 1) for purpose in "ab" for n in (0, 1)}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derived_seed(0, "a") == derived_seed(0, "a")


def test_generators_and_global_seeds_repeat():
    cpu = torch.device("cpu")
    draws = [torch.rand(3, generator=generator_for(cpu, 0, "x")) for _ in range(2)]
    assert torch.equal(*draws)
    before = torch.get_rng_state()
    for index in range(2):
        with seeded(cpu, 0, "y"):
            draws[index] = torch.rand(3)
    assert torch.equal(*draws)
    assert torch.equal(torch.get_rng_state(), before)


def test_settings_are_restored():
    def settings():
        return (
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
            torch.backends.cudnn.benchmark,
            torch.utils.deterministic.fill_uninitialized_memory,
        )

    before = settings()
    with deterministic():
        assert settings() == (True, True, False, False)
    assert settings() == before
    with pytest.raises(KeyError), deterministic():
        raise KeyError
    assert settings() == before


def test_arrays_go_to_the_device_whole(tmp_path):
    cpu = torch.device("cpu")
    array = np.arange(24, dtype=np.uint8).reshape(4, 6)
    np.save(tmp_path / "array.npy", array)
    mapped = np.load(tmp_path / "array.npy", mmap_mode="r")
    for source in (array, mapped, array[1:], mapped[:, ::2], mapped[[3, 0]], array.T):
        tensor = to_device(source, cpu)
        assert tensor.dtype == torch.uint8
        np.testing.assert_array_equal(tensor.numpy(), source)
