"""What can be made: a template for each kind of plugin, whose files lie in ``skeletons``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hfcbench.references import Kind

_TORCH = ("numpy>=1.26", "torch>=2.9")


@dataclass(frozen=True)
class Template:
    """One kind of plugin.

    Attributes:
        kind: what its hook registers.
        summary: of what it makes, as a phrase.
        files: what is in the package beside ``plugin.py``, each with what it is for.
        dependencies: beside hfcbench and annotated-types.
        usage: a command that uses the new name, or empty.
    """

    kind: Kind
    summary: str
    files: Mapping[str, str]
    dependencies: tuple[str, ...] = _TORCH
    usage: str = ""


TEMPLATES: Mapping[str, Template] = {
    "dataset": Template(
        "dataset",
        "Striped images, whose direction is their class",
        {"drawing.py": "the images"},
        ("numpy>=1.26",),
        # The suite asks for more images than this dataset has.
        "hfcbench run --suite smoke --dataset $name --train-samples 400 --test-samples 200",
    ),
    "detection-dataset": Template(
        "dataset",
        "Pictures with squares to be found",
        {"scenes.py": "the pictures"},
        ("numpy>=1.26",),
        "hfcbench run --suite detection --dataset $name --dry-run",
    ),
    "model": Template(
        "model",
        "A small convolutional network",
        {"network.py": "the network"},
        ("torch>=2.9",),
        "hfcbench run --suite smoke --model $name",
    ),
    "detector": Template(
        "model",
        "A detector whose cells each find one object",
        {"network.py": "the network"},
        ("torch>=2.9", "torchvision>=0.24"),
        "hfcbench run --suite detection --model $name --dry-run",
    ),
    "heuristic": Template(
        "heuristic",
        "A loss in which certainty costs",
        {"losses.py": "the loss"},
        ("torch>=2.9",),
        "hfcbench run --suite smoke --heuristic vanilla --heuristic $name",
    ),
    "decomposition": Template(
        "decomposition",
        "Means of blocks and what they leave out",
        {"blocks.py": "the split"},
        ("torch>=2.9",),
    ),
    "attack": Template(
        "attack",
        "Steps along the mean of two gradients",
        {},
        ("torch>=2.9",),
        "hfcbench run --suite smoke --attack $name",
    ),
    "defence": Template(
        "defence",
        "Blurred input",
        {"blurring.py": "the blur, and the module that models stand behind"},
        ("torch>=2.9",),
        "hfcbench run --suite smoke --defence none --defence $name",
    ),
    "metric": Template(
        "metric",
        "Accuracy averaged over classes",
        {"scoring.py": "the computation"},
        ("numpy>=1.26",),
    ),
    "detection-metric": Template(
        "metric",
        "Share of objects that are found at all",
        {"coverage.py": "the computation"},
        ("numpy>=1.26",),
    ),
    "analysis": Template(
        "analysis",
        "How sure a model is",
        {"measuring.py": "the measurement"},
    ),
    "executor": Template(
        "executor",
        "One task after the other, failed ones again",
        {},
        (),
        "hfcbench run --suite smoke --executor $name",
    ),
    "suite": Template(
        "suite",
        "A small study with a known answer",
        {"suite.yaml": "what is trained and evaluated"},
        (),
        "hfcbench run --suite $name",
    ),
}
