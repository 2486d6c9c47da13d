"""What the paper's tables 1 and 2 say, to stand beside what was measured here.

H. Wang, X. Wu, Z. Huang, E. P. Xing: High-frequency Component Helps Explain the Generalization of
Convolutional Neural Networks, CVPR 2020. CIFAR-10, accuracies as printed there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PAPER = "H. Wang, X. Wu, Z. Huang, E. P. Xing, CVPR 2020"
DATASET = "CIFAR-10"
RADII = (4, 8, 12, 16)
RHOS = (0.0, 0.1, 0.25, 0.5, 1.0)
EPSILONS = (0.03, 0.06, 0.09)
GAINING_PICTURES, PICTURES = 1684, 5000
"""Section 7.2: pictures of COCO's validation set in which a detector sees something better in the
LFC than in the original."""


@dataclass(frozen=True)
class TrainAndTest:
    """Accuracy on the component that was trained on, and on original test images."""

    train: float
    test: float


def _table1(part: str, train: str, test: str) -> dict[str, TrainAndTest]:
    numbers = zip(RADII, map(float, train.split()), map(float, test.split()), strict=True)
    return {f"{part}@{radius}": TrainAndTest(first, second) for radius, first, second in numbers}


TABLE_1: Mapping[str, TrainAndTest] = MappingProxyType(
    _table1("lfc", "0.9668 0.9786 0.9786 0.9839", "0.6167 0.7154 0.7516 0.7714")
    | _table1("hfc", "0.9885 0.9768 0.9797 0.9384", "0.2002 0.0920 0.0997 0.1281")
)
"""Table 1, by what was trained on."""

CONDITIONS: tuple[tuple[str, float | None], ...] = (
    ("none", None),
    *(("fgsm", epsilon) for epsilon in EPSILONS),
    *(("pgd", epsilon) for epsilon in EPSILONS),
)
"""The columns of table 2: attack and epsilon."""

NATURAL, ADVERSARIAL = "natural", "adversarial"
_TABLE_2 = {
    NATURAL: """
        0.856 0.107 0.069 0.044 0.003 0.002 0.002
        0.815 0.149 0.105 0.073 0.009 0.002 0.001
        0.743 0.160 0.110 0.079 0.021 0.005 0.005
        0.674 0.170 0.110 0.083 0.031 0.016 0.014
        0.631 0.171 0.140 0.127 0.086 0.078 0.078
    """,
    ADVERSARIAL: """
        0.707 0.435 0.232 0.137 0.403 0.138 0.038
        0.691 0.412 0.192 0.109 0.379 0.130 0.047
        0.667 0.385 0.176 0.097 0.352 0.116 0.040
        0.653 0.365 0.180 0.106 0.334 0.121 0.062
        0.638 0.356 0.223 0.186 0.337 0.175 0.131
    """,
}


@dataclass(frozen=True)
class Cell:
    """A place in table 2: how a model was trained, its kernels smoothed, and it attacked."""

    training: str
    rho: float
    attack: str
    epsilon: float | None


def _table2() -> dict[Cell, float]:
    return {
        Cell(training, rho, attack, epsilon): float(number)
        for training, text in _TABLE_2.items()
        for rho, line in zip(RHOS, text.strip().splitlines(), strict=True)
        for (attack, epsilon), number in zip(CONDITIONS, line.split(), strict=True)
    }


TABLE_2: Mapping[Cell, float] = MappingProxyType(_table2())
"""Table 2, cell by cell."""
