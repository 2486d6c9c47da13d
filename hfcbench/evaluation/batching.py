"""How much is in memory at once, whatever the number of conditions and images."""

from __future__ import annotations

from collections.abc import Iterable

from hfcbench.frequency.components import Component
from hfcbench.types import ImageSplit

_MOST_IMAGES = 500

# Of float32 images in one batch. It must not depend on what is evaluated: the sums of a network
# may round differently in batches of other sizes.
_BATCH_BYTES = 64 * 2**20

# Of components in memory at once, beyond those of a single cutoff.
_COMPONENT_BYTES = 512 * 2**20


def default_batch_size(split: ImageSplit) -> int:
    """Images to evaluate at once: 500, or fewer where they are large."""
    return max(1, min(_MOST_IMAGES, _BATCH_BYTES // max(1, _image_bytes(split))))


def component_groups(components: Iterable[Component], batch_bytes: int) -> list[list[Component]]:
    """Distinct components, grouped by what one transform should extract.

    Args:
        components: in any order, with repetitions.
        batch_bytes: memory of one batch of images as float32.

    Returns:
        Groups of one decomposition each (or none: originals); as many cutoffs as memory allows,
        at least one.
    """
    most_cutoffs = max(1, _COMPONENT_BYTES // max(1, 2 * batch_bytes))  # two parts each
    groups: list[list[Component]] = []
    for component in components:
        if any(component in group for group in groups):
            continue
        for group in groups:
            if group[0].decomposition == component.decomposition:
                cutoffs = {member.cutoff for member in group} | {component.cutoff}
                if len(cutoffs) <= most_cutoffs:
                    group.append(component)
                    break
        else:
            groups.append([component])
    return groups


def _image_bytes(split: ImageSplit) -> int:
    values = 1
    for size in split.images.shape[1:]:
        values *= size
    return 4 * values
