"""`hfcbench gains`: in which pictures a detector sees more, or less, in one component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hfcbench.cli.frames import (
    Row,
    known,
    number,
    short_id,
    short_models,
    shortened,
    varying,
    wide,
)
from hfcbench.cli.options import database_option, filter_options, format_option
from hfcbench.cli.tables import print_rows, printable

if TYPE_CHECKING:
    import pandas as pd

_OF = ("dataset", "scale", "model", "heuristics", "trained_on", "seed", "split", "defence")
_CUT = ("decomposition", "rescaling", "component")
_COUNTS = ("pictures", "gains", "drops", "equal")
_MEANS = ("original", "value", "difference")


@click.command(short_help="Count pictures that a detector scores better on without some content.")
@database_option
@format_option
@filter_options
@click.option(
    "--metric",
    default="map",
    show_default=True,
    help="What pictures score: map, or map-small, map-medium, map-large by size of objects.",
)
@click.option("--radius", type=float, help="Components of this radius or rank only.")
@click.option(
    "--largest",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="List that many of the largest gains and drops of each row instead of the counts.",
)
def command(
    db: str, output_format: str, metric: str, radius: float | None, largest: int, **filters: Any
) -> None:
    """Hold what detectors find in single pictures' LFC and HFC against the original pictures.

    A picture gains where its average precision is higher on the component than on the original
    (section 7 of the paper). Pictures without objects to find are not counted.
    """
    from hfcbench.results.opening import open_store

    with open_store(db, read_only=True) as store:
        found = store.picture_gains(metric=metric, cutoff=radius, largest=largest, **filters)
    frame = found.pictures if largest else found.frame
    if output_format in ("csv", "json"):
        columns, rows = wide(frame)
    else:
        shown = frame.assign(model=frame["model"].map(short_models(frame)))
        columns, rows = _listed(shown) if largest else _counted(shown)
    print_rows(columns, rows, output_format)
    if output_format not in ("csv", "json"):
        for line in shortened(frame):
            click.echo(printable(line), err=True)
    note = f"{found.metric} of single pictures; value and difference are on the component"
    # Not among the rows, which may be read by another program.
    click.echo(printable(note), err=True)


def _counted(frame: pd.DataFrame) -> tuple[list[str], list[Row]]:
    names = [*varying(frame, _OF), *varying(frame, _CUT[:2]), "component"]
    rows = [
        [
            *(known(record[name]) for name in names),
            *(record[name] for name in _COUNTS),
            *(number(record[name]) for name in _MEANS),
            short_id(record["training"]),
        ]
        for record in frame.to_dict("records")
    ]
    means = [f"mean {name}" for name in _MEANS]
    return [*(name.replace("_", " ") for name in names), *_COUNTS, *means, "training"], rows


def _listed(frame: pd.DataFrame) -> tuple[list[str], list[Row]]:
    names = [*varying(frame, _OF), *varying(frame, _CUT[:2]), "component", "change", "rank"]
    rows = [
        [
            *(known(record[name]) for name in (*names, "picture", "object_count")),
            *(number(record[name]) for name in _MEANS),
        ]
        for record in frame.to_dict("records")
    ]
    return [*(name.replace("_", " ") for name in names), "picture", "objects", *_MEANS], rows
