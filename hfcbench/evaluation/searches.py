"""Attacks on one defended model, as evaluations ask for them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from hfcbench.adversarial.fast_model import FastModel
from hfcbench.adversarial.promises import attacked_images
from hfcbench.adversarial.reliability import Probe
from hfcbench.adversarial.worst_case import worst_cases
from hfcbench.attack_types import Attack, Search, SteppedAttack
from hfcbench.defence_modules import is_random, set_adaptive
from hfcbench.evaluation.cells import Cell
from hfcbench.reliability_checks import Check
from hfcbench.types import Precision


@dataclass(frozen=True)
class AttackedCells:
    """Cells that one search answers: a ladder of epsilons that some or all of them climb.

    Attributes:
        epsilons: ascending.
    """

    attack: Attack
    name: str
    search: Search
    epsilons: tuple[float, ...]
    cells: tuple[Cell, ...]

    def without(self, keys: frozenset[str] | set[str]) -> AttackedCells:
        """Without the cells of these keys, which have failed."""
        return replace(self, cells=tuple(cell for cell in self.cells if cell.key not in keys))

    def at(self, epsilon: float) -> list[Cell]:
        return [cell for cell in self.cells if cell.epsilon == epsilon]


def attacked_cells(cells: Sequence[Cell]) -> list[AttackedCells]:
    """Cells under attack, put together where one search serves several; others are left out."""
    found: list[AttackedCells] = []
    # The longest ladders first: those of the others are the beginnings of them.
    for cell in sorted(cells, key=lambda cell: -len(cell.search.smaller_epsilons)):
        if cell.attack is None or cell.epsilon is None:
            continue
        ladder = (*cell.search.smaller_epsilons, cell.epsilon)
        search = replace(cell.search, smaller_epsilons=())
        for position, group in enumerate(found):
            if (group.name, group.search) != (cell.attack_key, search):
                continue
            if search.criterion != "worst-case":
                ladder = tuple(sorted({*group.epsilons, cell.epsilon}))
            elif group.epsilons[: len(ladder)] != ladder:
                continue
            else:
                ladder = group.epsilons
            found[position] = replace(group, epsilons=ladder, cells=(*group.cells, cell))
            break
        else:
            found.append(AttackedCells(cell.attack, cell.attack_key, search, ladder, (cell,)))
    return found


@dataclass(frozen=True)
class Found:
    """What an attack found at one epsilon.

    Attributes:
        images: ``(N,C,H,W)``, for each of those that were attacked one.
        verdicts_changed: see :class:`hfcbench.adversarial.worst_case.WorstCase`.
    """

    images: Tensor
    verdicts_changed: int = 0


@dataclass
class Attacker:
    """Attacks a defended model, or the undefended one in its stead.

    Args:
        defended, undefended: in evaluation mode; the same where there is no defence.
    """

    defended: nn.Module
    undefended: nn.Module
    _fast: dict[tuple[int, Precision], FastModel] = field(default_factory=dict)
    _oblivious: nn.Module | None = None

    def search(
        self, group: AttackedCells, images: Tensor, labels: Tensor, generator: torch.Generator
    ) -> Iterator[Found]:
        """What is found at each of the group's epsilons.

        Raises:
            NodeError: the model cannot be attacked, or the attack breaks its promises.
        """
        model = self.attacked(group.search)
        stepped = isinstance(group.attack, SteppedAttack)
        if group.search.criterion != "worst-case":
            yield from self._last_images(group, model, images, labels, generator)
            return
        for found in worst_cases(
            group.attack,
            group.name,
            model,
            images,
            labels,
            group.epsilons,
            generator,
            climbed=self._climbed(model, images, group.search.precision) if stepped else None,
        ):
            yield Found(found.images, found.verdicts_changed)

    def _last_images(
        self,
        group: AttackedCells,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        generator: torch.Generator,
    ) -> Iterator[Found]:
        """What an attack returns for each of the group's epsilons, whatever the others are."""
        stepped = isinstance(group.attack, SteppedAttack)
        if stepped and group.search.precision != "float32":
            model = self._climbed(model, images, group.search.precision)
        # What models draw in a call must not depend on which epsilons it is for.
        apart = stepped or is_random(model)
        calls = [(epsilon,) for epsilon in group.epsilons] if apart else [group.epsilons]
        state = generator.get_state()
        for epsilons in calls:
            generator.set_state(state)
            with _same_draws_after(images.device):
                found = attacked_images(
                    group.attack, group.name, model, images, labels, epsilons, generator
                )
            yield from map(Found, found)

    def probe(
        self,
        group: AttackedCells,
        images: Tensor,
        labels: Tensor,
        *,
        seed: int,
        before: int,
        total: int,
    ) -> Probe:
        """What looks at how far the group's scores are to be trusted; see :class:`Probe`."""
        model = self.attacked(group.search)
        judge = self.defended if group.search.mode == "transfer" else model
        return Probe(
            group.attack,
            group.name,
            group.search,
            model,
            judge,
            images,
            labels,
            seed,
            before,
            total,
        )

    def attacked(self, search: Search) -> nn.Module:
        """The model that is attacked in a mode."""
        if search.mode == "transfer":
            return self.undefended
        if search.mode == "adaptive":
            return self.defended
        if self._oblivious is None:
            self._oblivious = copy.deepcopy(self.defended)
            set_adaptive(self._oblivious, False)
        return self._oblivious

    def _climbed(self, model: nn.Module, images: Tensor, precision: Precision) -> nn.Module:
        key = (id(model), precision)
        if key not in self._fast:
            # Made once, for whichever search comes first: none may draw otherwise for it.
            with _same_draws_after(images.device):
                self._fast[key] = FastModel(model, images[:4], precision)
        return self._fast[key]


def checks_of(
    group: AttackedCells, probe: Probe, found: Sequence[Found]
) -> dict[float, dict[str, Check]]:
    """The checks of one batch by name, for each epsilon that a cell is at."""
    shared = probe.of_model()
    by_epsilon = {}
    for epsilon, result in zip(group.epsilons, found, strict=True):
        if group.at(epsilon):
            own = probe.of_epsilon(result.images, epsilon, result.verdicts_changed)
            by_epsilon[epsilon] = {check.name: check for check in (*shared, *own)}
    return by_epsilon


def _same_draws_after(device: torch.device) -> AbstractContextManager[None]:
    """Restore torch's own generators at the end."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
