"""What is fed to a model, ``original``, ``lfc@8``, ...: cut out of images, all in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from hfcbench.errors import SpecificationError
from hfcbench.frequency.rescaling import rescale
from hfcbench.types import Cutoff, Decomposition, Rescaling

__all__ = ["ORIGINAL", "Component", "extract", "rescale"]


@dataclass(frozen=True)
class Component:
    """The original images, or one part of a decomposition at a cutoff.

    Attributes:
        decomposition: None for the original; nothing else may be given then.
        part: which of ``decomposition.parts``: 0 for the low, 1 for the high part.
        cutoff: where the decomposition cuts.
        rescaling: what is done to the part before a model sees it.

    Raises:
        SpecificationError: a combination that means nothing.
    """

    decomposition: Decomposition | None = None
    part: int = 0
    cutoff: Cutoff | None = None
    rescaling: Rescaling = "none"

    def __post_init__(self) -> None:
        if self.decomposition is None:
            if (self.part, self.cutoff, self.rescaling) != (0, None, "none"):
                raise SpecificationError("the original has no part, cutoff or rescaling")
        elif self.cutoff is None or self.part not in (0, 1):
            raise SpecificationError(
                f"a component needs a cutoff and part 0 or 1, not {self.cutoff} and {self.part}"
            )


ORIGINAL = Component()


def extract(images: Tensor, components: Sequence[Component]) -> list[Tensor]:
    """The components of a batch of images, in the given order.

    Each distinct decomposition splits the images once, for all the cutoffs that are asked of it.

    Args:
        images: ``(N,C,H,W)`` floating point in [0,1]; not modified.
        components: any mix, repetitions allowed.

    Returns:
        ``(N,C,H,W)`` for each component, float32 on the images' device. Originals are the given
        tensor itself, and components that are not rescaled and occur twice share theirs.

    Raises:
        SpecificationError: what the decomposition cannot split.
    """
    extracted = [images] * len(components)
    for decomposition, positions in _by_decomposition(components):
        cutoffs = list(dict.fromkeys(_cutoff(components[position]) for position in positions))
        pairs = dict(zip(cutoffs, decomposition.split(images, cutoffs), strict=True))
        for position in positions:
            component = components[position]
            part = pairs[_cutoff(component)][component.part]
            extracted[position] = rescale(part, images, component.rescaling)
    return extracted


def _by_decomposition(
    components: Sequence[Component],
) -> list[tuple[Decomposition, list[int]]]:
    """Distinct decompositions with the positions that want them; they need not be hashable."""
    groups: list[tuple[Decomposition, list[int]]] = []
    for position, component in enumerate(components):
        if component.decomposition is None:
            continue
        for decomposition, positions in groups:
            if decomposition == component.decomposition:
                positions.append(position)
                break
        else:
            groups.append((component.decomposition, [position]))
    return groups


def _cutoff(component: Component) -> Cutoff:
    if component.cutoff is None:
        raise SpecificationError("a component of a decomposition needs a cutoff")
    return component.cutoff
