"""Memory is bounded by the batch."""

from __future__ import annotations

import numpy as np
import pytest

from hfcbench.evaluation.batching import component_groups, default_batch_size
from hfcbench.frequency.components import ORIGINAL, Component
from hfcbench.types import ImageSplit

MIB = 2**20


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((1, 28, 28), 500), ((3, 32, 32), 500), ((3, 224, 224), 111), ((3, 4096, 4096), 1)],
)
def test_batches_of_large_images_are_smaller(shape, expected):
    images = np.broadcast_to(np.uint8(0), (1000, *shape))
    assert default_batch_size(ImageSplit(images, np.zeros(1000, dtype=np.int64))) == expected


def test_small_images_need_one_transform_for_each_decomposition():
    first, second = object(), object()
    components = [
        Component(decomposition, part, cutoff)
        for cutoff in (4.0, 8.0, 12.0, 16.0)
        for decomposition in (first, second)
        for part in (0, 1)
    ]
    groups = component_groups([ORIGINAL, *components, *components, ORIGINAL], 6 * MIB)
    assert [len(group) for group in groups] == [1, 8, 8]
    assert [member for group in groups for member in group if member != ORIGINAL] == sorted(
        components, key=lambda component: component.decomposition is second
    )


def test_both_parts_and_all_rescalings_of_a_cutoff_stay_together():
    one = object()
    components = [
        Component(one, part, cutoff, rescaling)
        for part in (0, 1)
        for rescaling in ("none", "max")
        for cutoff in (4.0, 8.0, 12.0)
    ]
    groups = component_groups(components, 128 * MIB)  # 256 MiB for each cutoff, 512 in all
    assert [{member.cutoff for member in group} for group in groups] == [{4.0, 8.0}, {12.0}]
    assert [len(group) for group in groups] == [8, 4]
    assert len(component_groups(components, 10**12)) == 3
