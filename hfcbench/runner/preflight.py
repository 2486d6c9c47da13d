"""Whether the models of a plan can be attacked at all, found out before hours of training."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from hfcbench.errors import NodeError, SpecificationError
from hfcbench.recipes import configured
from hfcbench.references import Reference
from hfcbench.registry import Registry
from hfcbench.runner.specification import EvaluationSpecification, TrainingSpecification
from hfcbench.runner.tasks import EvaluationTask, Task

if TYPE_CHECKING:
    import torch


def check_attackable(tasks: Iterable[Task], registry: Registry) -> None:
    """Take one gradient of every model and defence that a gradient attack is planned on.

    Weights do not matter for that, so models are built anew. What a plugin raises for other reasons
    is left to the task, which it fails alone.

    Raises:
        SpecificationError: a model answers in training mode, has no gradient, or hides it.
    """
    seen: set[tuple[object, ...]] = set()
    for training, evaluation in _attacked(tasks, registry):
        defence = evaluation.defence
        heuristics = tuple(heuristic.label for heuristic in training.heuristics)
        key = (training.model.label, heuristics, training.dataset.shape, defence and defence.label)
        if key not in seen:
            seen.add(key)
            _check(training, defence, evaluation.attack, registry)


def _attacked(
    tasks: Iterable[Task], registry: Registry
) -> Iterator[tuple[TrainingSpecification, EvaluationSpecification]]:
    needs: dict[str, bool] = {}
    for task in tasks:
        if not isinstance(task, EvaluationTask):
            continue
        for evaluation in task.evaluations:
            attack, search = evaluation.attack, evaluation.search
            if attack is None or search is None or search.mode == "oblivious":
                continue
            if attack.label not in needs:
                needs[attack.label] = registry.create(attack).needs_gradients
            if needs[attack.label]:
                yield task.training, evaluation


def _check(
    training: TrainingSpecification,
    defence: Reference | None,
    attack: Reference | None,
    registry: Registry,
) -> None:
    from hfcbench.adversarial.gradient import check_model

    try:
        model = _built(training, defence, registry)
        check_model(model)
        _take_gradient(model, training)
    except NodeError as error:
        defended = "" if defence is None else f" with defence '{defence.label}'"
        name = "" if attack is None else attack.label
        raise SpecificationError(
            f"{name} cannot attack {training.model.label}{defended}: {error.what}",
            hint=error.hint,
        ) from error
    # Whatever else a plugin raises fails its own evaluations, and only those.
    except Exception:
        return


def _built(
    training: TrainingSpecification, defence: Reference | None, registry: Registry
) -> torch.nn.Module:
    import torch

    from hfcbench.devices import seeded

    recipe = configured(
        training.schedule, [registry.create(heuristic) for heuristic in training.heuristics]
    )
    dataset = training.dataset
    with seeded(torch.device("cpu"), 0, "preflight"):
        model: torch.nn.Module = registry.create(training.model).build(
            dataset.shape, dataset.classes, recipe.options
        )
    model.eval()
    if defence is not None:
        model = registry.create(defence).defend(copy.deepcopy(model))
    return model


def _take_gradient(model: torch.nn.Module, training: TrainingSpecification) -> None:
    import torch

    from hfcbench.adversarial.gradient import loss_gradient
    from hfcbench.devices import seeded

    shape = training.dataset.shape
    with seeded(torch.device("cpu"), 0, "preflight"):
        image = torch.rand(1, shape.channels, shape.height, shape.width)
        loss_gradient(model, image, torch.zeros(1, dtype=torch.int64))
