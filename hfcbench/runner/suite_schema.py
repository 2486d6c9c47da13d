"""What a suite file may say.

A suite describes blocks; each block is the full matrix of its lists. What a block leaves out it
takes from the top level, and what that leaves out from :data:`DEFAULTS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pydantic
from annotated_types import Ge, Gt, Interval, MinLen

from hfcbench.attack_types import AttackMode
from hfcbench.types import Augmentation, Precision, Rescaling, Task

Named = (
    str | Annotated[dict[str, dict[str, Any] | None], pydantic.Field(min_length=1, max_length=1)]
)
"""A plugin's part: ``pgd``, or ``{pgd: {steps: 40}}`` with parameters."""

Combination = Named | list[Named]
"""Heuristics that are applied together: ``vanilla``, one, or a list of several."""


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        # The reference page on suite files says what stands below each key.
        use_attribute_docstrings=True,
    )


class ScheduleSchema(_Strict):
    """Any part of :class:`hfcbench.types.Schedule`."""

    epochs: Annotated[int, Ge(0)] | None = None
    """How often a training sees every image; 0 for models that come trained."""
    batch_size: Annotated[int, Ge(1)] | None = None
    """Images of a step."""
    optimizer: str | None = None
    """A class of ``torch.optim``, written as there."""
    learning_rate: Annotated[float, Gt(0)] | None = None
    """Of the optimizer; that of detectors rises to it and falls again."""
    optimizer_options: dict[str, pydantic.JsonValue] | None = None
    """Further keyword arguments of the optimizer."""
    augmentation: Augmentation | None = None
    """What is done to training images at random."""
    precision: Precision | None = None
    """What steps compute in; ``bfloat16`` is faster on GPUs and on CPUs with AMX or AVX512-BF16."""


class SamplesSchema(_Strict):
    """How many images are used of each split; all of them where nothing is said.

    ``attack`` and ``analysis`` are of the test split, and are as ``test`` where they are not said.
    """

    train: Annotated[int, Ge(1)] | None = None
    """Images of the training split, chosen once at random."""
    test: Annotated[int, Ge(1)] | None = None
    """Images of the test split."""
    attack: Annotated[int, Ge(1)] | None = None
    """Those of the test images that are attacked."""
    analysis: Annotated[int, Ge(1)] | None = None
    """Those of the test images that analyses look at."""


class CurvesSchema(_Strict):
    """What is measured after every epoch, on how many images a split."""

    components: list[str] | None = None
    """What models are shown."""
    samples: Annotated[int, Ge(1)] | None = None
    """Images of each split; all of them where nothing is said."""


class BlockSchema(_Strict):
    """One matrix of trainings, each with one matrix of evaluations."""

    datasets: Annotated[list[Named], MinLen(1)] | None = None
    """Names of datasets."""
    models: Annotated[list[Named], MinLen(1)] | None = None
    """Names of models; every block needs some."""
    heuristics: Annotated[list[Combination], MinLen(1)] | None = None
    """Names, joined with ``+`` where they are applied together; ``vanilla`` is none."""
    train_on: Annotated[list[str], MinLen(1)] | None = None
    """Components that models are trained on."""
    seeds: Annotated[list[Annotated[int, Interval(ge=0, lt=2**31)]], MinLen(1)] | None = None
    """Whole numbers; a training for each."""
    schedule: ScheduleSchema | None = None
    """How models are trained."""
    samples: SamplesSchema | None = None
    """Use so many images of each split, chosen once at random, instead of all."""
    curves: CurvesSchema | None = None
    """What is measured after every epoch, on train and test."""
    decomposition: Named | None = None
    """What ``lfc@...`` and ``hfc@...`` mean."""
    rescaling: Rescaling | None = None
    """What is done to a component before a model sees it."""
    components: list[str] | None = None
    """What is evaluated: ``original``, ``lfc@8``, ``hfc@8``; ``[]`` is nothing."""
    defences: Annotated[list[Named], MinLen(1)] | None = None
    """Names of defences; ``none`` is the undefended model."""
    attacks: list[Named] | None = None
    """Names of attacks."""
    epsilons: list[Annotated[float, Ge(0)]] | None = None
    """Radii in the attack's norm (L-infinity, if it says nothing else), in pixel units of [0,1]."""
    attack_components: list[str] | None = None
    """What is cut out of adversarial images before they are classified; with ``[]`` only
    analyses use the attacks.
    """
    attack_modes: Annotated[list[AttackMode], MinLen(1)] | None = None
    """What attacks know of a defence: ``adaptive`` (everything: they go through it),
    ``transfer`` (only the undefended model), ``oblivious`` (its gradients as they fall).
    """
    criterion: Literal["worst-case", "full"] | None = None
    """``worst-case``: an image that is broken at any step, or at a smaller epsilon of the list,
    is broken; ``full``: the images after every step.
    """
    attack_precision: Precision | None = None
    """What gradients of attacks are computed in; verdicts are the model's own."""
    metrics: Annotated[list[Named], MinLen(1)] | None = None
    """Names of metrics."""
    analyses: list[Named] | None = None
    """Names of analyses; those of attacks run for every attack and epsilon."""


class FullBlockSchema(BlockSchema):
    """A block as a file says it; what ``quick`` holds replaces the rest at the quick scale."""

    quick: BlockSchema | None = None
    """What is said at the quick scale instead of the rest."""


class SuiteSchema(FullBlockSchema):
    """A whole suite file: blocks of its own, or other suites that it includes.

    ``scale: quick`` marks one that is too small to publish.
    """

    title: str
    """For people."""
    description: str = ""
    """For people."""
    scale: Literal["full", "quick"] = "full"
    """``quick`` marks a study that is too small to publish: its rows never rank with others."""
    blocks: list[FullBlockSchema] = []
    """Each is the full matrix of its lists."""
    includes: list[str] = []
    """Other suites, instead of blocks: all of them together, what they share done once."""

    @pydantic.model_validator(mode="after")
    def _either(self) -> SuiteSchema:
        if bool(self.blocks) == bool(self.includes):
            raise ValueError("a suite has either the key 'blocks' or the key 'includes'")
        beside = self.model_fields_set - {"title", "description", "includes"}
        if self.includes and beside:
            raise ValueError(f"a suite with 'includes' cannot hold '{min(beside)}' of its own")
        return self


DEFAULTS = BlockSchema(
    datasets=["photo-patches"],
    heuristics=["vanilla"],
    train_on=["original"],
    seeds=[0],
    schedule=ScheduleSchema(),
    samples=SamplesSchema(),
    curves=CurvesSchema(components=["original"]),
    decomposition="fft-radial",
    rescaling="none",
    components=["original"],
    defences=["none"],
    attacks=[],
    epsilons=[],
    attack_components=["original"],
    attack_modes=["adaptive"],
    criterion="worst-case",
    attack_precision="float32",
    analyses=[],
)

DEFAULT_METRICS: Mapping[Task, Sequence[Named]] = {
    "classification": ["top1", "loss"],
    "detection": ["map", "ap50", "ap75", "map-small", "map-medium", "map-large"],
}
"""What a block without metrics measures, by what its datasets are for."""

_NESTED = ("schedule", "samples", "curves")


def merged(block: FullBlockSchema, suite: SuiteSchema) -> BlockSchema:
    """The block with what it leaves out taken from the suite, then from the defaults.

    At the quick scale the ``quick`` part of each layer counts before the layer itself.
    """
    layers: list[BlockSchema] = [DEFAULTS]
    for layer in (suite, block):
        layers.append(layer)
        if suite.scale == "quick" and layer.quick is not None:
            layers.append(layer.quick)
    values: dict[str, Any] = {}
    for name in BlockSchema.model_fields:
        given = [getattr(layer, name) for layer in layers if getattr(layer, name) is not None]
        if name in _NESTED:
            combined: dict[str, Any] = {}
            for layer in given:
                combined.update(layer.model_dump(exclude_none=True))
            values[name] = combined
        elif given:
            values[name] = given[-1]
    return BlockSchema.model_validate(values)


def evaluation_count(block: BlockSchema) -> int:
    """At most how many evaluations and analyses the matrix of a merged block has."""
    trainings = _product(block.datasets, block.models, block.heuristics, block.train_on)
    searches = (block.attacks, block.epsilons, block.attack_components, block.attack_modes)
    attacked = _product(*searches)
    analysed = _product(block.analyses) * max(1, _product(block.attacks, block.epsilons))
    conditions = _product(block.components) + attacked + analysed
    return trainings * _product(block.seeds) * _product(block.defences) * conditions


def _product(*lists: Sequence[object] | None) -> int:
    return math.prod(len(items or ()) for items in lists)
