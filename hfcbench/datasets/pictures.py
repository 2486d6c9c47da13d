"""Reading one picture file as pixels of a wanted kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


class PictureError(Exception):
    """Why a file cannot be used, in a few words without its name."""


def load_picture(
    source: Path | BinaryIO,
    *,
    channels: Literal[1, 3],
    size: int | None,
    upright: bool = True,
) -> NDArray[np.uint8]:
    """The picture ``(H,W,channels)`` uint8 in 0..255.

    Args:
        source: its file.
        channels: 1 for grey, 3 for colour; what is transparent becomes white.
        size: scale the shorter side to this and crop the middle; None leaves it as it is.
        upright: turn it as its EXIF entry says; otherwise pixels come as they are stored.

    Raises:
        PictureError: it is no picture, or damaged.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(source) as opened:
            opened.load()
            turned = ImageOps.exif_transpose(opened) if upright else opened
            picture = _plain(turned).convert("RGB" if channels == 3 else "L")
    except UnidentifiedImageError as error:
        raise PictureError("not a picture") from error
    # Pillow's decoders answer damaged files with these, too.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise PictureError(getattr(error, "strerror", None) or str(error)) from error
    if size is not None:
        picture = ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC)
    return np.asarray(picture).reshape(picture.height, picture.width, channels)


def _plain(picture: Picture) -> Picture:
    """The picture without transparency and with 8 bits a channel."""
    from PIL import Image

    if picture.mode.startswith("I"):
        # Pillow would cut 16-bit values at 255 instead of scaling them.
        wide = np.clip(np.asarray(picture, dtype=np.float64), 0, 65535)
        return Image.fromarray(np.round(wide / 257).astype(np.uint8))
    if picture.mode == "F":
        raise ValueError("pixels are floating-point numbers of unknown range")
    if "A" in picture.getbands() or "transparency" in picture.info:
        above = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
    return picture
