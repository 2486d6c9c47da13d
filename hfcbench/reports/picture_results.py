"""What detectors found in single pictures of a study, and the pictures themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from hfcbench.detection.opening import PictureDataset, open_pictures
from hfcbench.detection_types import Detections, Picture
from hfcbench.errors import DataError
from hfcbench.registry import Registry
from hfcbench.runner.parts import Parts
from hfcbench.runner.plan import Plan
from hfcbench.runner.specification import DatasetKey, EvaluationSpecification
from hfcbench.sampling import chosen_images
from hfcbench.types import DataLocation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hfcbench.results.queries.picture_gains import PictureGains
    from hfcbench.results.store import Store

    Views: TypeAlias = list[NDArray[np.float32]]

ReadGains: TypeAlias = "Callable[[str, int | None], PictureGains]"
ReadDetections: TypeAlias = Callable[[str], Detections]
ReadViews: TypeAlias = "Callable[[Sequence[str], int], Views]"


@dataclass(frozen=True)
class PictureResults:
    """Readers of single pictures; the store must be open as long as they are asked.

    Attributes:
        gains: what pictures gain on the study's components by a metric, with so many of the
            largest gains and drops of each (None: all), as the store's ``picture_gains``.
        detections: of an evaluation, by its identity.
        views: what the detector was shown in evaluations of one dataset and split: ``(3,H,W)``
            float32 of each, of the picture at a position of theirs.

            Raises:
                DataError: the dataset is not at hand, or it is another one than was evaluated.
    """

    gains: ReadGains
    detections: ReadDetections
    views: ReadViews


def stored_pictures(
    store: Store, plan: Plan, registry: Registry, location: DataLocation
) -> PictureResults | None:
    """The pictures of a plan's detectors; None if it has no detectors."""
    evaluations = {
        item.identity: item
        for node in plan.nodes
        if node.training.dataset.task == "detection"
        for item in node.evaluations
    }
    if not evaluations:
        return None
    from hfcbench.results.queries.picture_gains import PictureGains

    trainings = sorted({item.training.identity for item in evaluations.values()})

    def gains(metric: str, largest: int | None) -> PictureGains:
        found = store.picture_gains(metric=metric, largest=largest, trainings=trainings)
        # The database may hold more components than the suite asks for.
        planned = [
            one[one["evaluation"].isin(list(evaluations))] for one in (found.frame, found.pictures)
        ]
        return PictureGains(found.metric, *planned)

    return PictureResults(gains, store.detections, PlannedViews(registry, location, evaluations))


@dataclass
class PlannedViews:
    """Opens the datasets of evaluations, and cuts components out of their pictures as they did."""

    registry: Registry
    location: DataLocation
    evaluations: dict[str, EvaluationSpecification]
    _opened: dict[str, PictureDataset] = field(default_factory=dict)

    def __call__(self, identities: Sequence[str], position: int) -> Views:
        """See :class:`PictureResults`."""
        import torch

        from hfcbench.detection.picture_sets import pixels_of
        from hfcbench.frequency.components import extract

        asked = [self.evaluations[identity] for identity in identities]
        pixels = pixels_of(self._picture(asked[0], position))
        image = torch.from_numpy(pixels)[None].float().div_(255)
        components = [Parts(self.registry).component(item.component) for item in asked]
        return [view[0].numpy() for view in extract(image, components)]

    def _picture(self, asked: EvaluationSpecification, position: int) -> Picture:
        pictures = self._dataset(asked.training.dataset).splits[asked.split]
        return pictures[int(chosen_images(len(pictures), asked.samples)[position])]

    def _dataset(self, key: DatasetKey) -> PictureDataset:
        if key.fingerprint not in self._opened:
            found = open_pictures(self.registry.create(key.reference), self.location)
            if found.fingerprint != key.fingerprint:
                raise DataError(
                    f"dataset {key.title} has the fingerprint {found.fingerprint[:12]}; the "
                    f"results are of {key.fingerprint[:12]}",
                    hint="name the folder of the one that was evaluated with --data-root",
                )
            self._opened[key.fingerprint] = found
        return self._opened[key.fingerprint]
