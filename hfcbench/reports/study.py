"""What the database holds of a suite: the frames that figures and claims are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from hfcbench.quantities import Quantity

if TYPE_CHECKING:
    import pandas as pd

    from hfcbench.reports.picture_results import PictureResults
    from hfcbench.results.statistics import Answers

ReadAnswers: TypeAlias = "Callable[[Sequence[str]], Mapping[str, Answers]]"
"""Reads which images evaluations answered rightly, by their identities; some may be unknown."""


def nothing_known(evaluations: Sequence[str]) -> Mapping[str, Answers]:
    """Of none of the evaluations single answers are known."""
    return {}


@dataclass(frozen=True)
class StudiedQuantity:
    """A stored quantity with the training and the condition that it belongs to.

    Attributes:
        training: the training's identity.
        analysis: the analysis' label, e.g. ``fourier-heat-map`` or ``kernels(radius=1)``.
        analysis_name: without parameters.
        defence, attack: labels, or ``none``.
    """

    training: str
    dataset: str
    model: str
    heuristics: str
    trained_on: str
    seed: int
    analysis: str
    analysis_name: str
    defence: str
    attack: str
    epsilon: float | None
    quantity: Quantity


@dataclass(frozen=True)
class Study:
    """The stored results of one suite.

    Attributes:
        suite: its name.
        scale: ``full`` or ``quick``.
        trainings: one row per training of the plan: ``training`` (identity), ``dataset``,
            ``model``, ``heuristics`` (label; ``vanilla`` without any), ``trained_on`` (component
            label), ``seed``, ``epochs`` and ``done``.
        curves: one row per measured point of finished trainings: the first six columns of
            ``trainings``, then ``epoch`` (from 1), ``split`` (train, test), ``component``
            (``original``, ``lfc@8``, ...), ``part`` (``original``, ``lfc``, ``hfc``), ``cutoff``
            (NaN of originals), ``metric`` (top1, loss), ``value``, ``n``.
        scores: one row per score of finished evaluations: the same six columns, then
            ``evaluation`` (identity), ``split``, ``defence``, ``attack`` (labels or ``none``; of an
            attack that does not know the defence with its mode before it: ``transfer pgd``),
            ``epsilon`` (NaN without attack), ``component``, ``part``, ``cutoff``,
            ``decomposition``, ``rescaling``, ``metric``, ``value``, ``low``, ``high`` (95%), ``n``.
        quantities: of finished analyses.
        missing: how many trainings, evaluations and analyses of the plan are not in the database.
        command: what would run them.
        attacks: label and epsilon of each adaptive attack on originals that the plan has.
        answers: reads single answers of ``evaluation`` identities, while the store is open.
        classes: names of the classes of each dataset, in the order of their numbers.
        fingerprints: of each dataset, by its title.
        pictures: what detectors found in single pictures; None where the suite has none.
    """

    suite: str
    scale: str
    trainings: pd.DataFrame
    curves: pd.DataFrame
    scores: pd.DataFrame
    quantities: tuple[StudiedQuantity, ...]
    missing: int
    command: str
    attacks: tuple[tuple[str, float], ...] = ()
    answers: ReadAnswers = nothing_known
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    pictures: PictureResults | None = None
