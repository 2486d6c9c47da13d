"""The hooks that plugins implement.

A plugin is a module or object, found through the entry-point group ``hfcbench``, with functions
named as below and marked ``@hfcbench.hookimpl``. ``hfcbench_register_*`` hooks only declare: they
must not download, run or write anything. ``hfcbench_before_*`` and ``hfcbench_after_*`` observe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

import pluggy

if TYPE_CHECKING:
    from hfcbench.attack_types import Attack
    from hfcbench.detection_types import DetectionDataset, DetectionMetric, Detector
    from hfcbench.quantities import Analysis
    from hfcbench.runner.executor import Executor
    from hfcbench.runner.plan import Plan
    from hfcbench.runner.tasks import Outcome, RunSummary, Task
    from hfcbench.types import (
        Dataset,
        Decomposition,
        Defence,
        Heuristic,
        Metric,
        Model,
        SuiteSource,
    )

PROJECT = "hfcbench"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

T_contra = TypeVar("T_contra", contravariant=True)


class Register(Protocol[T_contra]):
    """What a ``hfcbench_register_*`` hook is handed to declare one named thing."""

    def __call__(
        self,
        name: str,
        factory: Callable[..., T_contra],
        *,
        version: str,
        description: str | None = None,
        argument: str | None = None,
    ) -> None:
        """Declare ``name``.

        Args:
            name: what suites and the command line call it: lower case, digits and hyphens.
            factory: a class or function; its annotated keyword parameters are the schema that
                values from suites are checked against.
            version: changes whenever results would change; part of every identity.
            description: one line; by default the first line of the factory's docstring.
            argument: the parameter that may be written inline, as in ``image-folder:PATH``.

        Raises:
            PluginError: a duplicate name, or parameters without annotation or plain values.
        """


class RegisterSuite(Protocol):
    """What ``hfcbench_register_suites`` is handed to declare one suite file."""

    def __call__(
        self, name: str, source: SuiteSource, *, version: str, description: str | None = None
    ) -> None:
        """Declare a suite.

        Args:
            name: as of everything else; a ``/`` may stand between its parts.
            source: the file, as ``importlib.resources.files`` gives it.
            version: changes whenever the suite does.
            description: one line.

        Raises:
            PluginError: a duplicate name, or a source that is no readable file.
        """


class HookSpecifications:
    """Every hook that hfcbench calls."""

    @hookspec
    def hfcbench_register_datasets(self, register: Register[Dataset | DetectionDataset]) -> None:
        """Declare datasets: named images with labels or boxes, split into train and test."""

    @hookspec
    def hfcbench_register_models(self, register: Register[Model | Detector]) -> None:
        """Declare models: architectures that classify images in [0,1] or find objects in them."""

    @hookspec
    def hfcbench_register_heuristics(self, register: Register[Heuristic]) -> None:
        """Declare heuristics: changes to how a model is trained, down to its loss."""

    @hookspec
    def hfcbench_register_decompositions(self, register: Register[Decomposition]) -> None:
        """Declare decompositions: splits of an image into a low and a high part."""

    @hookspec
    def hfcbench_register_attacks(self, register: Register[Attack]) -> None:
        """Declare attacks: searches for adversarial images within an epsilon ball."""

    @hookspec
    def hfcbench_register_defences(self, register: Register[Defence]) -> None:
        """Declare defences: changes to a trained model that need no training."""

    @hookspec
    def hfcbench_register_metrics(self, register: Register[Metric | DetectionMetric]) -> None:
        """Declare metrics: numbers computed from per-image predictions or detections.

        A metric of detections says ``task = "detection"``; ``higher_is_better`` says which end is
        good.
        """

    @hookspec
    def hfcbench_register_analyses(self, register: Register[Analysis]) -> None:
        """Declare analyses: measurements of a trained model that are no score per image."""

    @hookspec
    def hfcbench_register_executors(self, register: Register[Executor]) -> None:
        """Declare executors: where and in which order a plan's tasks run."""

    @hookspec
    def hfcbench_register_suites(self, register: RegisterSuite) -> None:
        """Declare suites: YAML files that each describe a matrix of trainings and evaluations."""

    @hookspec
    def hfcbench_before_run(self, plan: Plan) -> None:
        """Called once before the first task of a plan runs."""

    @hookspec
    def hfcbench_after_run(self, plan: Plan, summary: RunSummary) -> None:
        """Called once after the last task, also when some failed or the run was interrupted."""

    @hookspec
    def hfcbench_before_task(self, task: Task) -> None:
        """Called in the driving process when a task starts."""

    @hookspec
    def hfcbench_after_task(self, task: Task, outcome: Outcome) -> None:
        """Called in the driving process after a task's results are in the database."""
