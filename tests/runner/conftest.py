"""A registry of light stand-ins, so that planning is tested without torch or images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Annotated, ClassVar

import pytest
from annotated_types import Ge

from hfcbench import attack_types, hookimpl
from hfcbench.attack_types import Attack
from hfcbench.errors import SpecificationError
from hfcbench.plugins import load_plugins
from hfcbench.references import Reference
from hfcbench.registry import Registry
from hfcbench.runner.specification import DatasetKey
from hfcbench.types import Cutoff, DataLocation, Heuristic, ImageShape, ModelOptions, Recipe


@dataclass(frozen=True)
class Images:
    seed: int = 0


@dataclass(frozen=True)
class Network:
    width: Annotated[int, Ge(1)] = 16

    def check(self, shape: ImageShape, classes: int, options: ModelOptions) -> None:
        if options.dropout:
            raise SpecificationError("network has no fully connected layer to drop from")


@dataclass(frozen=True)
class Norm(Heuristic):
    def configure(self, recipe: Recipe) -> Recipe:
        return replace(recipe, options=replace(recipe.options, batchnorm=True))


@dataclass(frozen=True)
class Drop(Heuristic):
    share: float = 0.5

    def configure(self, recipe: Recipe) -> Recipe:
        return replace(recipe, options=replace(recipe.options, dropout=self.share))


@dataclass(frozen=True)
class Split:
    parts = ("lfc", "hfc")

    def parse(self, text: str) -> Cutoff:
        try:
            return float(text)
        except ValueError:
            raise SpecificationError(f"the radius must be a number, not '{text}'") from None

    def check(self, cutoff: Cutoff, shape: ImageShape) -> None:
        if not isinstance(cutoff, float) or cutoff > shape.height:
            raise SpecificationError(f"radius {cutoff} exceeds {shape}")

    def split(self, images: object, cutoffs: Sequence[Cutoff]) -> list[tuple[object, object]]:
        return [(images, images) for _ in cutoffs]


@dataclass(frozen=True)
class Push(Attack):
    steps: Annotated[int, Ge(1)] = 1
    norm: attack_types.Norm = "linf"


@dataclass(frozen=True)
class Once(Attack):
    exact: ClassVar[bool] = True


@dataclass(frozen=True)
class Shield:
    rho: Annotated[float, Ge(0)] = 1.0


@dataclass(frozen=True)
class Count:
    pass


def _hook(**factories: type) -> object:
    def declare(register):
        for name, factory in factories.items():
            register(name.replace("_", "-"), factory, version="1")

    return hookimpl(declare)


@pytest.fixture(scope="session")
def registry() -> Registry:
    plugin = SimpleNamespace(
        hfcbench_register_datasets=_hook(images=Images),
        hfcbench_register_models=_hook(network=Network),
        hfcbench_register_heuristics=_hook(norm=Norm, drop=Drop),
        hfcbench_register_decompositions=_hook(fft_radial=Split),
        hfcbench_register_attacks=_hook(push=Push, pull=Push, once=Once),
        hfcbench_register_defences=_hook(shield=Shield),
        hfcbench_register_metrics=_hook(top1=Count, loss=Count),
    )
    plugins = load_plugins({"stand-ins": plugin}, installed=(), builtin_modules=())
    assert plugins.failed == ()
    return plugins.registry


class KnownDatasets:
    """Answers as if every dataset were decoded; the fingerprint is that of the seed."""

    location = DataLocation()

    def key(self, reference: Reference) -> DatasetKey:
        fingerprint = f"content-{reference.parameters['seed']}"
        shape = ImageShape(3, 32, 32)
        return DatasetKey(
            reference.name,
            reference.label,
            reference.version,
            fingerprint,
            shape,
            10,
            400,
            100,
            reference,
        )


@pytest.fixture
def datasets() -> KnownDatasets:
    return KnownDatasets()
