"""The photographs that offline datasets are made of: PNG files in scikit-image's wheel."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

PHOTOGRAPHS = (
    "brick",
    "camera",
    "cell",
    "chelsea",
    "coffee",
    "grass",
    "gravel",
    "ihc",
    "moon",
    "motorcycle_left",
)


def photograph_of(name: str) -> NDArray[np.uint8]:
    """A photograph ``(H,W,3)``; grey ones have three equal channels."""
    from PIL import Image

    with _folder().joinpath(f"{name}.png").open("rb") as file, Image.open(file) as image:
        return np.asarray(image.convert("RGB"))


def photographs_sha256() -> str:
    """The sha256 of the files of all photographs, in hexadecimal."""
    digest = hashlib.sha256()
    for name in PHOTOGRAPHS:
        digest.update(_folder().joinpath(f"{name}.png").read_bytes())
    return digest.hexdigest()


def _folder() -> Traversable:
    from importlib.resources import files

    return files("skimage.data")
