"""The worst of several answers to each image."""

from __future__ import annotations

from collections.abc import Sequence

from hfcbench.errors import UsageError
from hfcbench.results.statistics.answers import Answers
from hfcbench.sampling import chosen_images


def worst_case(rows: Sequence[Answers]) -> Answers:
    """Which images are right in every row; its accuracy is robust accuracy.

    Of one model's answers to clean and to attacked images of a split: an image counts as robust
    if it is right when clean and under every attack (H. Wang et al., CVPR 2020, equation 2, with
    the attacks for the whole ball, so that what is found bounds the true value from above).

    Args:
        rows: at least one. They may be over different numbers of images; then the fewest count,
            which are among those of the other rows.

    Raises:
        UsageError: the rows are not of one split, or their labels differ.
    """
    import numpy as np

    fewest = min(rows, key=lambda row: row.images.n)
    right = np.ones(len(fewest.labels), dtype=bool)
    for row in rows:
        right &= on_images(row, fewest).right
    return Answers(fewest.images, fewest.labels, right)


def on_images(row: Answers, other: Answers) -> Answers:
    """A row's answers to the images of another one, which are among its own.

    Raises:
        UsageError: the rows are not of one split, or their labels differ.
    """
    import numpy as np

    images, fewer = row.images, other.images
    if _split(row) != _split(other):
        raise UsageError("images of different datasets or splits cannot be paired")
    positions = chosen_images(fewer.size, fewer.n)
    inside = np.searchsorted(chosen_images(images.size, images.n), positions)
    if not np.array_equal(row.labels[inside], other.labels):
        raise UsageError(
            f"{fewer.n} and {images.n} images of split '{images.split}' cannot be "
            "paired: their labels say that they were chosen in different ways",
            hint="let clean and attacked images be as many: samples: {test: N, attack: N}",
        )
    return Answers(fewer, other.labels, row.right[inside])


def _split(row: Answers) -> tuple[str, str, int]:
    return row.images.fingerprint, row.images.split, row.images.size
