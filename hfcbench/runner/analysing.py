"""Carrying out the analyses of one trained model."""

from __future__ import annotations

import copy
import time
import traceback
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from hfcbench.errors import NodeError
from hfcbench.quantities import Quantity, Subject
from hfcbench.results.records import AnalysisRecord, FailureRecord
from hfcbench.runner.recording import failure, label_of
from hfcbench.runner.tasks import AnalysisTask, Outcome

if TYPE_CHECKING:
    import torch

    from hfcbench.registry import Registry
    from hfcbench.runner.dataset_access import DatasetAccess
    from hfcbench.runner.executor import Advance
    from hfcbench.runner.specification import AnalysisSpecification


def analyse(
    task: AnalysisTask,
    model: torch.nn.Module,
    registry: Registry,
    datasets: DatasetAccess,
    device: str,
    advance: Advance,
) -> Outcome:
    """Every analysis of a task; one that fails takes no other with it.

    Args:
        model: trained, on ``device``, in evaluation mode; analyses get copies.
    """
    from hfcbench.memory.calling import called_in_parts
    from hfcbench.memory.part_size import PartSize

    records: list[AnalysisRecord] = []
    failed: list[FailureRecord] = []
    part_size = PartSize()
    for number, specification in enumerate(task.analyses, start=1):
        started_at, start = datetime.now(UTC), time.perf_counter()
        # Whatever a plugin or torch raises must end in a row, not in a lost run.
        try:
            with called_in_parts(model, part_size):
                attempt = partial(_measured, specification, model, registry, datasets, device)
                images, quantities = part_size.fitted(attempt)
        except Exception as error:
            failed.append(failure(specification, error, traceback.format_exc()))
        else:
            seconds = time.perf_counter() - start
            records.append(_record(specification, images, quantities, device, started_at, seconds))
        advance(number / len(task.analyses))
    return Outcome(analyses=records, failures=failed, notes=part_size.notes)


def _subject(
    specification: AnalysisSpecification,
    model: torch.nn.Module,
    registry: Registry,
    datasets: DatasetAccess,
    device: str,
) -> Subject:
    import torch

    dataset = specification.training.dataset
    defended: object = copy.deepcopy(model)
    if specification.defence is not None:
        defended = registry.create(specification.defence).defend(defended)
        if not isinstance(defended, torch.nn.Module):
            raise NodeError(
                f"defence '{specification.defence.label}' returned "
                f"{type(defended).__name__}, which is no model"
            )
    attack = specification.attack
    return Subject(
        model=defended.eval(),  # type: ignore[attr-defined]
        images=datasets.split(dataset, specification.split, specification.samples),
        device=torch.device(device),
        seed=specification.training.seed,
        attack=None if attack is None else registry.create(attack),
        attack_label=label_of(attack),
        epsilon=specification.epsilon,
    )


def _measured(
    specification: AnalysisSpecification,
    model: torch.nn.Module,
    registry: Registry,
    datasets: DatasetAccess,
    device: str,
) -> tuple[int, list[Quantity]]:
    """How many images were analysed, and what was found."""
    from hfcbench.devices import deterministic

    reference = specification.analysis
    subject = _subject(specification, model, registry, datasets, device)
    with deterministic():
        found: object = registry.create(reference).measure(subject)
    if not isinstance(found, list | tuple):
        raise NodeError(
            f"analysis '{reference.label}' returned {type(found).__name__}, not a list of "
            "quantities"
        )
    names = [item.name if isinstance(item, Quantity) else None for item in found]
    if None in names or len(set(names)) != len(names):
        raise NodeError(
            f"analysis '{reference.label}' must return quantities with names of their own"
        )
    return len(subject.images), list(found)


def _record(
    specification: AnalysisSpecification,
    images: int,
    quantities: list[Quantity],
    device: str,
    started_at: datetime,
    seconds: float,
) -> AnalysisRecord:
    return AnalysisRecord(
        identity=specification.identity,
        training_identity=specification.training.identity,
        specification=specification.canonical,
        analysis=specification.analysis.label,
        split=specification.split,
        defence=label_of(specification.defence),
        attack=label_of(specification.attack),
        epsilon=specification.epsilon,
        n=images,
        device=device,
        started_at=started_at,
        duration_seconds=seconds,
        quantities=quantities,
    )
