"""Pictures that a detector gains and drops most on, with the boxes that it drew in each view."""

from __future__ import annotations

import io
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hfcbench.errors import HfcbenchError
from hfcbench.reports.reading import read_study
from hfcbench.reports.site.addresses import DETECTION
from hfcbench.reports.site.elements import Picture

if TYPE_CHECKING:
    from hfcbench.registry import Registry
    from hfcbench.reports.figures.drawing import Drawing
    from hfcbench.reports.site.album import Album
    from hfcbench.results.store import Store

_SUITE = "detection"


@dataclass(frozen=True)
class DetectionPictures:
    """What is shown, or one sentence on why nothing is."""

    pictures: tuple[Picture, ...]
    missing: str = ""


def detection_pictures(
    store: Store, registry: Registry, dataset: str, album: Album, place: int
) -> DetectionPictures:
    """Draw them, as ``hfcbench figures detection`` does, where the dataset needs no files.

    Args:
        dataset: its title.
        place: of its section on the page.
    """
    from hfcbench.reports.figures.examples import draw_examples

    command = f"hfcbench figures {_SUITE} --dataset {shlex.quote(dataset)}"
    asked = [(("datasets",), [dataset])]
    try:
        study = read_study(store, registry, _SUITE, asked, command=command)
        drawings = [drawing for some in draw_examples(study) for drawing in some]
    except HfcbenchError as error:
        return DetectionPictures((), f"No pictures with boxes: {error.what}.")
    if not drawings:
        return DetectionPictures((), "No pictures with boxes: none gains or drops on a component.")
    shown = (_kept(drawing, album, f"{place}-{n}") for n, drawing in enumerate(drawings))
    return DetectionPictures(tuple(shown))


def _kept(drawing: Drawing, album: Album, name: str) -> Picture:
    import numpy as np
    from PIL import Image

    from hfcbench.reports.figures.drawing import house_style

    title = " ".join(drawing.figure.get_suptitle().split())
    held = io.BytesIO()
    with house_style():
        drawing.figure.savefig(held, format="png", metadata={"Software": None})
    pixels = np.asarray(Image.open(held).convert("RGB"))  # (H,W,3) uint8
    what = f"{title}: boxes drawn on the original and on components of the same pictures"
    return album.add(DETECTION, f"boxes-{name}", pixels, what, title)
