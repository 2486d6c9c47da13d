"""What the studies of a database say about the paper's statements."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from hfcbench.errors import DataError, HfcbenchError
from hfcbench.reports.claims.checking import Finding, check_statement
from hfcbench.reports.claims.statements import STATEMENTS
from hfcbench.reports.reading import read_study
from hfcbench.reports.site.reading import Overview
from hfcbench.reports.specifications import training_specifications
from hfcbench.reports.study import Study

if TYPE_CHECKING:
    from hfcbench.registry import Registry
    from hfcbench.results.store import Store

Override: TypeAlias = tuple[tuple[str | int, ...], Any]


@dataclass(frozen=True)
class CheckedStudy:
    """What one study says about the statements that its suite is for.

    Attributes:
        images: how many images its models were trained on, in words.
        findings: those that were run.
    """

    images: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class CheckedClaims:
    """What all studies say.

    Attributes:
        problems: why studies could not be read, a sentence each.
    """

    studies: tuple[CheckedStudy, ...]
    problems: tuple[str, ...] = ()


def check_claims(
    store: Store,
    registry: Registry,
    overview: Overview,
    overrides: Sequence[Override] = (),
    asked: Iterable[Study] = (),
) -> CheckedClaims:
    """Check every statement on every dataset for classification.

    Suites are taken as they come with hfcbench, at every scale and on all seeds that were run.

    Args:
        overrides: what replaces parts of them, as for running them.
        asked: other studies of the database, as runs were asked for them.
    """
    problems: list[str] = []
    plain = list(_plain_studies(store, registry, overview, overrides, problems))
    shown = {record.fingerprint for record in overview.datasets}
    others = [study for study in asked if shown.issuperset(study.fingerprints.values())]
    checked = [_checked(store, study) for study in _distinct([*plain, *others])]
    return CheckedClaims(
        tuple(one for one in checked if one.findings), tuple(dict.fromkeys(problems))
    )


def _plain_studies(
    store: Store,
    registry: Registry,
    overview: Overview,
    overrides: Sequence[Override],
    problems: list[str],
) -> Iterator[Study]:
    given = [(path, value) for path, value in overrides if path != ("datasets",)]
    named = dict(given)
    for record in overview.datasets:
        description = record.description
        # Statements are about classes of test images.
        if description.task != "classification" or "test" not in description.sizes:
            continue
        trainings = overview.trainings_of(record)
        for scale in sorted(set(trainings["scale"])):
            if named.get(("scale",), scale) != scale:
                continue
            seeds = sorted(map(int, set(trainings.loc[trainings["scale"] == scale, "seed"])))
            every: list[Override] = [
                (("datasets",), [record.name]),
                (("scale",), scale),
                (("seeds",), seeds),
                *given,
            ]
            yield from _read(store, registry, record.name, str(scale), every, problems)


def _read(
    store: Store,
    registry: Registry,
    dataset: str,
    scale: str,
    overrides: Sequence[Override],
    problems: list[str],
) -> Iterator[Study]:
    for suite in dict.fromkeys(statement.suite for statement in STATEMENTS):
        command = ["hfcbench", "run", "--suite", suite, "--dataset", dataset, "--scale", scale]
        try:
            yield read_study(store, registry, suite, overrides, command=shlex.join(command))
        except DataError:
            # The database has another version of the dataset than this hfcbench.
            continue
        except HfcbenchError as error:
            problems.append(f"{suite} on {dataset} cannot be checked: {error.what}.")


def _distinct(studies: Sequence[Study]) -> list[Study]:
    """Without those of which another one has every training, as where seeds were added."""
    done = [
        frozenset(study.trainings.loc[study.trainings["done"], "training"]) for study in studies
    ]
    return [
        study
        for place, study in enumerate(studies)
        if not any(
            study.suite == other.suite
            and (done[place] < done[there] or (done[place] == done[there] and there < place))
            for there, other in enumerate(studies)
        )
    ]


def _checked(store: Store, study: Study) -> CheckedStudy:
    findings = [
        finding
        for statement in STATEMENTS
        if statement.suite == study.suite
        for finding in check_statement(statement, study)
        if finding.effects
    ]
    return CheckedStudy(_images(store, study) if findings else "", tuple(findings))


def _images(store: Store, study: Study) -> str:
    done = study.trainings.loc[study.trainings["done"], "training"]
    sizes = {record.fingerprint: record.description.sizes for record in store.datasets()}
    counts = {
        int(one["samples"] or sizes[one["dataset"]["fingerprint"]].get("train", 0))
        for one in training_specifications(store, map(str, done))
    }
    return f"{' or '.join(f'{count:,}' for count in sorted(counts))} training images"
