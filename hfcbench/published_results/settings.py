"""What the trainings of a study have in common: what a reader must know to judge its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hfcbench.published_results.pages import count, span
from hfcbench.references import parse_label
from hfcbench.reports.specifications import training_specifications
from hfcbench.types import Schedule

if TYPE_CHECKING:
    from hfcbench.reports.study import Study
    from hfcbench.results.store import Store

PAPER_MODEL = "preact-resnet32"
"""The network of the authors' code, which the paper calls ResNet-18."""
PAPER_DATASET = "cifar10"

DATASET_NOTES: Mapping[str, str] = {
    "cifar10-jpeg": (
        "stored as JPEG at quality 75 with 4:2:0 chroma, which took a part of the high frequencies"
    ),
    "photo-patches": "32x32 patches of ten photographs, which are the classes",
    "photo-objects": "things drawn on photographs",
    "coco": "pictures of everyday objects, in COCO's format",
}
"""What a dataset is, by the end of its name without parameters."""

# Of dataset `coco`, where its label does not say otherwise.
_TESTED = "val2017"
_REMEMBERED = (
    "trained on the very pictures that it is tested on, so that scores tell what is remembered"
)


@dataclass(frozen=True)
class Setting:
    """How the models of a study were trained and seen.

    Attributes:
        dataset: its title.
        scale: ``full`` or ``quick``.
        epochs, images, tested: fewest and most; images of a training and of an evaluation.
        available: how many training images the dataset has.
        attacked: fewest and most images under attack; zeros where nothing was attacked.
        schedules: distinct values of batch size, optimizer and learning rate, as text.
        seeds: how many.
    """

    dataset: str
    scale: str
    models: tuple[str, ...]
    epochs: tuple[int, int]
    images: tuple[int, int]
    available: int
    tested: tuple[int, int]
    attacked: tuple[int, int]
    schedules: tuple[str, ...]
    seeds: int

    def __str__(self) -> str:
        scale = "full scale" if self.scale == "full" else f"scale {self.scale} (reduced)"
        parts = [
            self.dataset,
            ", ".join(self.models),
            scale,
            f"{span(*self.images)} training images",
            "1 epoch" if self.epochs == (1, 1) else f"{span(*self.epochs)} epochs",
            f"{span(*self.tested)} test images",
            f"{span(*self.attacked)} of them attacked" if self.attacked[1] else "",
            count(self.seeds, "seed"),
        ]
        return "; ".join(part for part in parts if part)

    def differences(self) -> list[str]:
        """What differs from the paper's (section 4.2), a sentence part each."""
        if self.dataset == PAPER_DATASET:
            return self.changes()
        note = note_on(self.dataset)
        of_data = f"{self.dataset}{f' ({note})' if note else ''} instead of CIFAR-10"
        return [of_data, *self.changes()]

    def changes(self) -> list[str]:
        """:meth:`differences` but for the dataset."""
        paper = Schedule()
        found = []
        others = [model for model in self.models if model != PAPER_MODEL]
        if others:
            found.append(f"{', '.join(others)} instead of the ResNet of the authors' code")
        if self.epochs[0] < paper.epochs:
            found.append(f"{span(*self.epochs)} epochs instead of {paper.epochs}")
        usual = schedule_text(vars(paper))
        unusual = [schedule for schedule in self.schedules if schedule != usual]
        if unusual:
            found.append(f"{'; '.join(unusual)} instead of {usual}")
        if self.images[0] < self.available:
            found.append(f"{span(*self.images)} training images instead of {self.available:,}")
        if self.attacked[1] and self.attacked[0] < self.tested[1]:
            found.append(f"{span(*self.attacked)} attacked images instead of all test images")
        return found


def note_on(dataset: str) -> str:
    """What a reader must know of a dataset; empty where its name says it."""
    plain, parameters = parse_label(dataset)
    notes = [note for name, note in DATASET_NOTES.items() if plain.endswith(name)][:1]
    if parameters.get("train") == parameters.get("test", _TESTED) and plain.endswith("coco"):
        notes.append(_REMEMBERED)
    return "; ".join(notes)


def schedule_text(schedule: Mapping[str, Any]) -> str:
    """``Adam, learning rate 0.0001, batches of 100``."""
    rate = schedule["learning_rate"]
    rate = "the optimizer's learning rate" if rate is None else f"learning rate {rate:g}"
    return f"{schedule['optimizer']}, {rate}, batches of {schedule['batch_size']}"


def setting_of(store: Store, study: Study) -> Setting:
    """The setting of a study's finished trainings, of which there must be one."""
    done = study.trainings[study.trainings["done"]]
    documents = training_specifications(store, map(str, done["training"]))
    sizes = {record.fingerprint: record.description.sizes for record in store.datasets()}
    images = [
        document["samples"] or sizes[document["dataset"]["fingerprint"]].get("train", 0)
        for document in documents
    ]
    epochs = [document["schedule"]["epochs"] for document in documents]
    scores = study.scores
    clean = scores.loc[scores["attack"] == "none", "n"]
    attacked = scores.loc[scores["attack"] != "none", "n"]
    return Setting(
        dataset=", ".join(dict.fromkeys(done["dataset"])),
        scale=study.scale,
        models=tuple(dict.fromkeys(done["model"])),
        epochs=(min(epochs), max(epochs)),
        images=(min(images), max(images)),
        available=max(
            sizes[document["dataset"]["fingerprint"]].get("train", 0) for document in documents
        ),
        tested=_ends(clean),
        attacked=_ends(attacked),
        schedules=tuple(
            dict.fromkeys(schedule_text(document["schedule"]) for document in documents)
        ),
        seeds=int(done["seed"].nunique()),
    )


def _ends(numbers: Any) -> tuple[int, int]:
    return (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
