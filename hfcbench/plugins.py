"""Finding, loading and checking plugins. Nothing here is global: :func:`load_plugins` makes it."""

from __future__ import annotations

import importlib
import inspect
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points

import pluggy

from hfcbench.errors import HfcbenchError, PluginError, nearest
from hfcbench.hookspecs import PROJECT, HookSpecifications
from hfcbench.references import KINDS, plural
from hfcbench.registry import Origin, Registry, StagedRegistrations
from hfcbench.version import __version__

ENTRY_POINT_GROUP = "hfcbench"

BUILTIN_MODULES = (
    "hfcbench.datasets.photo_patches",
    "hfcbench.datasets.planted_band",
    "hfcbench.datasets.torchvision_sets",
    "hfcbench.datasets.image_folder",
    "hfcbench.datasets.coco",
    "hfcbench.datasets.photo_objects",
    "hfcbench.models.lenet5",
    "hfcbench.models.alexnet",
    "hfcbench.models.vgg",
    "hfcbench.models.resnet18",
    "hfcbench.models.preact_resnet",
    "hfcbench.models.timm",
    "hfcbench.models.retinanet",
    "hfcbench.models.faster_rcnn",
    "hfcbench.models.ssd",
    "hfcbench.models.fcos",
    "hfcbench.heuristics.adversarial_training",
    "hfcbench.heuristics.batch_size",
    "hfcbench.heuristics.batchnorm",
    "hfcbench.heuristics.dropout",
    "hfcbench.heuristics.label_shuffling",
    "hfcbench.heuristics.mixup",
    "hfcbench.heuristics.optimizer",
    "hfcbench.heuristics.trades",
    "hfcbench.decompositions.fft_radial",
    "hfcbench.decompositions.fft_radial_share",
    "hfcbench.decompositions.fft_square",
    "hfcbench.decompositions.fft_gaussian",
    "hfcbench.decompositions.fft_band",
    "hfcbench.decompositions.svd",
    "hfcbench.attacks.fgsm",
    "hfcbench.attacks.pgd",
    "hfcbench.attacks.bim",
    "hfcbench.attacks.mi_fgsm",
    "hfcbench.attacks.noise",
    "hfcbench.attacks.band_pgd",
    "hfcbench.defences.kernel_smoothing",
    "hfcbench.defences.low_pass",
    "hfcbench.defences.high_pass",
    "hfcbench.defences.bit_depth",
    "hfcbench.defences.median",
    "hfcbench.defences.svd_denoising",
    "hfcbench.defences.feature_squeezing",
    "hfcbench.defences.randomised_smoothing",
    "hfcbench.metrics.top1",
    "hfcbench.metrics.loss",
    "hfcbench.metrics.average_precision",
    "hfcbench.metrics.average_recall",
    "hfcbench.analyses.fourier_heat_map",
    "hfcbench.analyses.critical_band",
    "hfcbench.analyses.perturbation_spectrum",
    "hfcbench.analyses.first_layer_kernels",
    "hfcbench.analyses.prediction_conflicts",
    "hfcbench.analyses.certified_accuracy",
    "hfcbench.executors.in_process",
    "hfcbench.suites.builtin",
    "hfcbench.suites.paper_study",
)


@dataclass(frozen=True)
class LoadedPlugin:
    """A plugin that works, and the names that it provides, as ``(kind, name)``."""

    origin: Origin
    provides: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FailedPlugin:
    """A plugin that could not be loaded, and why."""

    origin: Origin
    reason: str
    traceback: str


@dataclass(frozen=True)
class Plugins:
    """Everything that was loaded: hooks to call, names to look up, and what failed."""

    manager: pluggy.PluginManager
    registry: Registry
    loaded: tuple[LoadedPlugin, ...]
    failed: tuple[FailedPlugin, ...]


def load_plugins(
    extra: Mapping[str, object] | None = None,
    *,
    installed: Iterable[EntryPoint] | None = None,
    builtin_modules: Iterable[str] = BUILTIN_MODULES,
) -> Plugins:
    """Load the built-ins, then installed distributions by name, then ``extra`` objects.

    A plugin that fails is left out as a whole and listed in ``failed``; the rest is not touched.

    Args:
        extra: further plugin objects by name, as tests pass them.
        installed: entry points to load; by default all of the group ``hfcbench``.
        builtin_modules: modules of this package that are plugins.
    """
    loader = _Loader()
    for module in builtin_modules:
        loader.load(
            Origin(module.removeprefix("hfcbench."), PROJECT, __version__),
            partial(importlib.import_module, module),
        )
    found = entry_points(group=ENTRY_POINT_GROUP) if installed is None else installed
    for entry_point in sorted(found, key=_entry_point_order):
        distribution, version = _distribution(entry_point)
        loader.load(Origin(entry_point.name, distribution, version), entry_point.load)
    for name, plugin in (extra or {}).items():
        loader.load(Origin(name, "given directly", "-"), partial(_same, plugin))
    return loader.finish()


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(HookSpecifications)
    return manager


class _Loader:
    def __init__(self) -> None:
        self._plugin_manager = _manager()
        self._registry = Registry()
        self._loaded: list[LoadedPlugin] = []
        self._failed: list[FailedPlugin] = []

    def load(self, origin: Origin, find: Callable[[], object]) -> None:
        # A plugin is foreign code that may raise anything; it must not take the others with it.
        try:
            plugin = find()
            _check_hook_names(plugin, origin)
            staged = self._declare(plugin, origin)
        except Exception as error:
            foreign = not isinstance(error, HfcbenchError)
            reason = f"{type(error).__name__}: {error}" if foreign else str(error)
            self._failed.append(FailedPlugin(origin, reason, traceback.format_exc()))
            return
        self._registry.commit(staged)
        provides = tuple((known.kind, known.name) for known in staged.registrations)
        self._loaded.append(LoadedPlugin(origin, provides))

    def _declare(self, plugin: object, origin: Origin) -> StagedRegistrations:
        """Collect what the plugin declares and keep its hooks; all of it or nothing."""
        staged = self._registry.stage(origin)
        # A manager of its own: a plugin that fails half-way leaves no trace in the common one.
        alone = _manager()
        alone.register(plugin)
        for kind in KINDS:
            hook = getattr(alone.hook, f"hfcbench_register_{plural(kind)}")
            hook(
                register=staged.register_suite
                if kind == "suite"
                else partial(staged.register, kind)
            )
        self._plugin_manager.register(plugin, name=str(origin))
        return staged

    def finish(self) -> Plugins:
        self._registry.freeze({str(failed.origin): failed.reason for failed in self._failed})
        return Plugins(
            self._plugin_manager, self._registry, tuple(self._loaded), tuple(self._failed)
        )


def _check_hook_names(plugin: object, origin: Origin) -> None:
    """Raise PluginError for functions that look like hooks but would never be called."""
    known = [name for name in vars(HookSpecifications) if name.startswith("hfcbench_")]
    for name, value in inspect.getmembers(plugin, callable):
        if not name.startswith("hfcbench_"):
            continue
        if name not in known:
            raise PluginError(f"{origin}: there is no hook '{name}'; {nearest(name, known)}")
        if not hasattr(value, f"{PROJECT}_impl"):
            raise PluginError(f"{origin}: '{name}' lacks the mark @hfcbench.hookimpl")


def _same(plugin: object) -> object:
    return plugin


def _entry_point_order(entry_point: EntryPoint) -> tuple[str, str]:
    return _distribution(entry_point)[0], entry_point.name


def _distribution(entry_point: EntryPoint) -> tuple[str, str]:
    if entry_point.dist is None:
        return "unknown distribution", "-"
    return entry_point.dist.name, entry_point.dist.version
