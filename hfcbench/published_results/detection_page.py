"""What detectors see without low or high frequencies: section 7 of the paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from hfcbench.cli.asked import AskedStudy
from hfcbench.published_results.pages import Page, Picture, commands, paragraphs
from hfcbench.published_results.paper_numbers import GAINING_PICTURES, PAPER, PICTURES
from hfcbench.published_results.settings import note_on, setting_of
from hfcbench.reports.figures.detection import detection
from hfcbench.reports.figures.drawing import Drawing, TableOutput, file_name
from hfcbench.reports.figures.markdown import markdown

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

    from hfcbench.results.store import Store

# Single pictures are many rows; `hfcbench gains --largest` lists them.
_LEFT_OUT = "detection-pictures"


def detection_page(store: Store, studies: Sequence[AskedStudy]) -> Page:
    """A section per study that has detectors."""
    says = (
        f"The paper ({PAPER}, section 7) runs RetinaNet on COCO's {PICTURES:,} validation "
        f"pictures; in {GAINING_PICTURES:,} of them something is detected better on the low "
        "frequencies than on the original. What was run here is another detector on other "
        "pictures: how its precision changes can be held against that, its precision cannot."
    )
    sections = [
        _section(store, number, item) for number, item in enumerate(_of_detectors(studies), start=1)
    ]
    body = paragraphs(says, *sections) if sections else paragraphs(says, "Not run yet.")
    return Page("detection.md", "Detection", body)


def detection_pictures(studies: Sequence[AskedStudy]) -> Iterator[Picture]:
    """The figures of these studies."""
    for number, item in enumerate(_of_detectors(studies), start=1):
        study = item.study
        numbers = study.scores.to_csv(index=False, lineterminator="\n", float_format="%.9g")
        for output in detection(study):
            if isinstance(output, Drawing):
                yield Picture(_file(number, output), _draws(output), numbers)


def _of_detectors(studies: Sequence[AskedStudy]) -> list[AskedStudy]:
    return [item for item in studies if (item.study.scores["metric"] == "map").any()]


def _section(store: Store, number: int, item: AskedStudy) -> str:
    study = item.study
    setting = setting_of(store, study)
    parts = []
    for output in detection(study):
        if isinstance(output, Drawing):
            parts.append(f"![Average precision by cutoff]({_file(number, output)})")
        elif isinstance(output, TableOutput) and not output.name.startswith(_LEFT_OUT):
            parts += [markdown(_without_one_model(output.frame)), output.note]
    return paragraphs(
        f"## {setting.dataset}, suite {item.asked.suite}",
        f"Setting: {setting}.",
        *([f"{setting.dataset}: {note}."] if (note := note_on(setting.dataset)) else []),
        *parts,
        "To run it, and to list the pictures that change most:",
        commands(
            [item.asked.command, f"hfcbench gains --dataset '{setting.dataset}' --largest 10"]
        ),
    )


def _without_one_model(table: DataFrame) -> DataFrame:
    """The setting names a model that all rows share."""
    one = "model" in table and table["model"].nunique() == 1
    return table.drop(columns="model") if one else table


def _file(number: int, output: Drawing) -> str:
    return file_name(output.name, str(number)) + ".png"


def _draws(output: Drawing) -> Callable[[], Figure]:
    return lambda: output.figure
