"""The image files of a site: PNG of equal bytes for equal pixels."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hfcbench.reports.site.elements import Picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FOLDER = "pictures"
_HEIGHT = 96
_WIDTH = 640


class Album:
    """Collects the files of pictures, to be written with the pages."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    @property
    def files(self) -> Mapping[str, bytes]:
        """Content by path in the site."""
        return self._files

    def add(
        self, page: str, name: str, pixels: NDArray[np.uint8], alternative: str, caption: str
    ) -> Picture:
        """Keep pixels ``(H,W,3)``, enlarged by a whole number until they can be seen.

        Args:
            page: the path of the page that shows it, whose own name begins the file's.
            name: unique on the page; lower case, digits and hyphens.
        """
        from PIL import Image

        times = max(1, min(_HEIGHT // pixels.shape[0], _WIDTH // pixels.shape[1]))
        large = pixels.repeat(times, axis=0).repeat(times, axis=1)
        held = io.BytesIO()
        Image.fromarray(large).save(held, "PNG", optimize=True)
        stem = page.rpartition("/")[2].removesuffix(".html")
        path = f"{_FOLDER}/{stem}-{name}.png"
        self._files[path] = held.getvalue()
        source = "../" * page.count("/") + path
        return Picture(source, alternative, caption, large.shape[1], large.shape[0])
