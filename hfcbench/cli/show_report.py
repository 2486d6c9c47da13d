"""What `hfcbench show` says of a result, as text and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hfcbench.cli.tables import json_text, plain, printable
from hfcbench.quantities import Axis, Quantity
from hfcbench.reliability_checks import ADVICE

if TYPE_CHECKING:
    from hfcbench.results.queries.provenance import Provenance

_NOT_SHOWN = ("specification", "digest")
_NOTED = {"training": "training", "evaluation": "evaluations", "analysis": "analyses"}


def document(provenance: Provenance) -> str:
    """All of it as JSON, every digit of every quantity."""
    finding = provenance.finding
    content = {
        name: getattr(provenance, name)
        for name in provenance.__dataclass_fields__
        if name != "finding" and getattr(provenance, name) is not None
    }
    if finding is not None:
        content |= {
            provenance.kind: finding.row,
            "condition": finding.condition,
            f"{provenance.kind}_run": finding.run,
            "scores": finding.scores,
            **({"class_scores": finding.class_scores} if finding.class_scores else {}),
            "checks": finding.checks,
            "quantities": finding.quantities,
        }
    return json_text(_plain(content), indent=2, allow_nan=False)


def report(
    provenance: Provenance, intervals: Sequence[Mapping[Any, Any]], db: str
) -> Iterator[str]:
    """Lines for people.

    Args:
        intervals: of an evaluation, from its stored predictions.
        db: for the commands that go on from here.
    """
    yield f"{provenance.kind} {provenance.identity}"
    yield from _numbers(provenance, intervals)
    for heading, row in _sections(provenance):
        yield f"\n{heading}"
        for name, value in row.items():
            if not name.endswith("_id") and name not in _NOT_SHOWN and value is not None:
                yield f"  {name}: {_text(value)}"
    yield from _findings(provenance)
    for note in provenance.notes:
        yield f"\nnote on the {_NOTED[note['kind']]}: {printable(str(note['note']))}"
    for second in provenance.disagreements:
        yield f"\nanother result of this {second['kind']}: {printable(second['summary'])}"
    if provenance.finding is not None:
        yield f"\nspecification of the {provenance.kind}"
        yield _text(provenance.finding.row["specification"])
    yield "\nspecification of the training"
    yield _text(provenance.training["specification"])
    yield from _commands(provenance, db)


def _numbers(provenance: Provenance, intervals: Sequence[Mapping[Any, Any]]) -> Iterator[str]:
    """What an evaluation or an analysis found."""
    if provenance.finding is None:
        return
    for score in provenance.finding.scores:
        interval = f"[{score['low']}, {score['high']}], n = {score['n']}"
        yield f"  {score['metric']} (version {score['version']}) = {score['value']!r} {interval}"
    of_classes = [
        row for row in provenance.finding.class_scores if row["metric"] == provenance.headline
    ]
    if of_classes:
        yield f"\n{provenance.headline} by class, 95% intervals; n counts objects"
    for row in of_classes:
        ends = f"[{row['low']:.4f}, {row['high']:.4f}]"
        yield f"  {printable(row['class'])} = {row['value']:.4f} {ends}, n = {row['n']}"
    for check in provenance.finding.checks:
        yield f"  {printable(_check_text(check))}"
    for quantity in provenance.finding.quantities:
        yield f"  {_quantity_text(quantity)}"
        for axis in quantity.axes:
            yield f"    {_axis_text(axis)}"
    if intervals:
        yield "\nfrom the stored predictions, 95% intervals"
        for item in intervals:
            ends = f"[{item['low']:.4f}, {item['high']:.4f}]"
            yield f"  {item['of']} = {item['value']:.4f} {ends} ({item['interval']})"


def _check_text(check: Mapping[str, Any]) -> str:
    """What a check measured, and whether it is a reason to doubt the scores."""
    limit = "" if check["threshold"] is None else f" (no doubt up to {check['threshold']:g})"
    text = f"check {check['name']} = {check['value']!r}{limit}, n = {check['n']}"
    if not check["flagged"]:
        return text
    return f"{text}: FLAGGED; {ADVICE.get(check['name'], 'see the documentation of checks')}"


def _quantity_text(quantity: Quantity) -> str:
    """A number with its unit, interval and n, or the shape of an array."""
    unit = f" {quantity.unit}" if quantity.unit else ""
    n = f", n = {quantity.n}" if quantity.n else ""
    low, high = quantity.low, quantity.high
    if quantity.axes:
        size = " x ".join(str(len(axis.values)) for axis in quantity.axes)
        intervals = "" if low is None and high is None else ", each with an interval"
        return f"{quantity.name}: array of {size} ({quantity.values.dtype}){unit}{intervals}{n}"
    interval = "" if low is None or high is None else f" [{float(low)!r}, {float(high)!r}]"
    return f"{quantity.name} = {float(quantity.values)!r}{unit}{interval}{n}"


def _axis_text(axis: Axis) -> str:
    unit = f" {axis.unit}" if axis.unit else ""
    if not axis.values:
        return f"{axis.name}: no positions"
    return f"{axis.name}: {len(axis.values)} from {axis.values[0]:g} to {axis.values[-1]:g}{unit}"


def _sections(provenance: Provenance) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Headings and rows, most particular first."""
    finding = provenance.finding
    trained_by = provenance.training_run
    if finding is not None:
        yield "condition", finding.condition
        # What an analysis is of stands in its own row.
        own = {name: value for name, value in finding.row.items() if name not in finding.condition}
        yield provenance.kind, own
        yield "computed by run", finding.run
        if finding.run["uuid"] == trained_by["uuid"]:
            trained_by = {"uuid": f"{trained_by['uuid']}, the same run"}
    yield "training", provenance.training
    yield "trained by run", trained_by
    yield "dataset", provenance.dataset
    for row in provenance.artifacts:
        kind = printable(str(row["kind"])).replace("-", " ")
        yield kind, {name: value for name, value in row.items() if name != "kind"}


def _findings(provenance: Provenance) -> Iterator[str]:
    """Evaluations and analyses of a training, a line each."""
    if provenance.evaluations:
        yield "\nevaluations"
        for row in provenance.evaluations:
            headline = provenance.headline
            found = f"{headline} {row[headline]}, n = {row['n']}"
            yield f"  {row['identity'][:12]}  {row['condition']}: {found}"
    if provenance.analyses:
        yield "\nanalyses"
        for row in provenance.analyses:
            found = f"{', '.join(row['quantities']) or 'no quantities'}; n = {row['n']}"
            yield f"  {row['identity'][:12]}  {row['condition']}: {found}"


def _commands(provenance: Provenance, db: str) -> Iterator[str]:
    given = "" if db == "results.db" else f" --db {shlex.quote(db)}"
    short = provenance.identity[:12]
    yield "\nrecompute it and compare:"
    yield f"  hfcbench verify {short}{given}"
    yield "compute it anew, into a database of its own:"
    yield (
        f"  hfcbench show {short}{given} --format suite > {short}.yaml && "
        f"hfcbench run --suite {short}.yaml --db {short}.db"
    )


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json_text(value, sort_keys=True)
    return printable(str(value))


def _plain(value: Any) -> Any:
    """What JSON can say: arrays as lists, and NaN and infinity as texts."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Quantity | Axis):
        return _plain({name: getattr(value, name) for name in value.__dataclass_fields__})
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return value.isoformat() if isinstance(value, datetime) else plain(value)
