"""Pictures of a training from what its analyses left in the database; no image file is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hfcbench.analyses.prediction_conflicts import PredictionConflicts
from hfcbench.references import parse_label
from hfcbench.reports.site.album import Album
from hfcbench.reports.site.elements import Picture
from hfcbench.reports.site.reading import TrainingResults
from hfcbench.reports.site.wording import decimals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hfcbench.quantities import Quantity

_MOST_FILTERS, _MOST_CHANNELS = 16, 4
_MOST_EXAMPLES = 3
_GAP = 2
_KINDS = {"high": "HFC and not LFC", "low": "LFC and not HFC", "neither": "neither LFC nor HFC"}


def stored_pictures(
    results: TrainingResults, classes: Sequence[str], album: Album, page: str
) -> list[Picture]:
    """First-layer kernels, and images whose prediction follows one component only.

    Args:
        classes: names in the order of class numbers.
        page: of the training.
    """
    found = {
        str(row["condition"]): {
            one.name: one for one in results.quantities.get(str(row["identity"]), ())
        }
        for row in results.provenance.analyses
    }
    kernels = found.get("first-layer-kernels", {}).get("kernels")
    pictures = [] if kernels is None else [_kernels(kernels, album, page)]
    splits = {}
    for label, quantities in found.items():
        if label.startswith("prediction-conflicts") and " with " not in label:
            split = PredictionConflicts(**parse_label(label)[1])
            if split.method == "fourier":
                splits[split.cutoff] = (split, quantities)
    if splits:
        # One radius is enough; the middle one, as on leaderboards.
        middle = sorted(splits)[(len(splits) - 1) // 2]
        pictures += _conflicts(*splits[middle], classes, album, page)
    return pictures


def _kernels(quantity: Quantity, album: Album, page: str) -> Picture:
    import numpy as np

    from hfcbench.reports.figures.kernels import mosaic

    every = np.asarray(quantity.values, float)
    kernels = every[:_MOST_FILTERS, :_MOST_CHANNELS]
    finite = np.abs(kernels[np.isfinite(kernels)])
    largest = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    grey = np.nan_to_num(127.5 * (1 + mosaic(kernels) / largest), nan=255.0)
    pixels = np.repeat(grey.round().astype(np.uint8)[..., None], 3, axis=2)
    shown, of, high, wide = len(kernels), len(every), *every.shape[2:]
    caption = (
        f"Kernels of the first convolution, {high} × {wide}: filters 1 to {shown} of {of} from "
        f"left to right, input channels downwards. Black is a weight of {decimals(-largest)}, "
        f"mid-grey 0, white {decimals(largest)}."
    )
    alternative = f"{shown} kernels of the first convolution as grey squares"
    return album.add(page, "kernels", pixels, alternative, caption)


def _conflicts(
    split: PredictionConflicts,
    held: Mapping[str, Quantity],
    classes: Sequence[str],
    album: Album,
    page: str,
) -> list[Picture]:
    """Strips of an image, its LFC and its HFC, with what was predicted for each."""
    import numpy as np

    pictures = []
    for kind, follows in _KINDS.items():
        if f"{kind}-examples" not in held:
            continue
        images = np.asarray(held[f"{kind}-examples"].values)[:_MOST_EXAMPLES]
        labels, answers = (
            np.asarray(held[f"{kind}-{name}"].values).astype(int) for name in ("labels", "answers")
        )
        sure = np.asarray(held[f"{kind}-confidences"].values, float)
        for place, views in enumerate(_views(images, split)):
            said = [
                f"{view}: {_name(classes, answers[place, number])}, {sure[place, number]:.0%}"
                for number, view in enumerate(("original", "LFC", "HFC"))
            ]
            label = _name(classes, labels[place])
            caption = f"Follows {follows}; label {label}. Predicted, {'; '.join(said)}."
            alternative = (
                f"an image of {label}, its LFC and its HFC at {split.cutoff:g}, side by side"
            )
            pictures.append(album.add(page, f"{kind}-{place}", _strip(views), alternative, caption))
    return pictures


def _views(images: NDArray[Any], split: PredictionConflicts) -> NDArray[np.float32]:
    """``(N,3,C,H,W)``: original, LFC, and HFC around mid-grey, of ``(N,C,H,W)`` uint8."""
    import numpy as np
    import torch

    pixels = torch.from_numpy(images.astype(np.float32) / 255)
    ((low, high),) = split.decomposition().split(pixels, [split.cutoff])
    return torch.stack([pixels, low, high + 0.5], 1).numpy()


def _strip(views: NDArray[np.float32]) -> NDArray[np.uint8]:
    """``(3,C,H,W)`` side by side as ``(H,W',3)``; what is neither grey nor RGB as its mean."""
    import numpy as np

    if views.shape[1] != 3:
        views = views.mean(axis=1, keepdims=True).repeat(3, axis=1)
    tiles = np.rint(255 * views.clip(0, 1)).astype(np.uint8).transpose(0, 2, 3, 1)
    gap = np.full((tiles.shape[1], _GAP, 3), 255, np.uint8)
    return np.concatenate([tiles[0], gap, tiles[1], gap, tiles[2]], axis=1)


def _name(classes: Sequence[str], number: int) -> str:
    return classes[number] if 0 <= number < len(classes) else f"class {number}"
