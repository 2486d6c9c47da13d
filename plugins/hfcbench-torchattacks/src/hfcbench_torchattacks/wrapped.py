"""What the wrapped attacks have in common. Importing this module loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from hfcbench.attack_types import Attack, Norm

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


class Wrapped(Attack):
    """An attack whose search is a library's. Subclasses override :meth:`find`.

    The library gets a frozen model, its random numbers come from the given generator alone, and
    torch's and NumPy's global generators are afterwards as they were.
    """

    def find(
        self, model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, seed: int
    ) -> Tensor:
        """Adversarial images ``(N,C,H,W)`` within ``epsilon``, where the library finds them.

        Args:
            model: an :class:`~hfcbench_torchattacks.searching.AttackedModel`.
            images: ``(N,C,H,W)`` float32 in [0,1].
            labels: ``(N,)`` int64, the true classes.
            epsilon: radius in pixel units of [0,1], > 0.
            seed: what the global generators were seeded for, below 2**31.
        """
        raise TypeError(f"{type(self).__name__} does not say how it finds images")

    def perturb(
        self,
        model: torch.nn.Module,
        images: Tensor,
        labels: Tensor,
        epsilons: Sequence[float],
        generator: torch.Generator,
    ) -> list[Tensor]:
        """One search for each epsilon, all with the same random numbers.

        See :class:`hfcbench.attack_types.Attack`.

        Raises:
            NodeError: the model is in training mode, has no gradient, or too few classes, or the
                images are not in [0,1] or of a shape that the library cannot attack.
        """
        from hfcbench_torchattacks.searching import search_each

        return search_each(self, model, images, labels, epsilons, generator)


class LibraryAttack(Wrapped):
    """A class of torchattacks under its own name, whose parameters are this dataclass's fields.

    Attributes:
        epsilon_name: what the class calls its radius.
        coloured: whether it takes images of three channels only.
        square: whether it takes images as wide as high only.
        positive_logits: whether it is right only where no logit is negative. Logits are shifted for
            it, which changes no class, no probability and no difference of logits.
    """

    epsilon_name: ClassVar[str] = "eps"
    coloured: ClassVar[bool] = False
    square: ClassVar[bool] = False
    positive_logits: ClassVar[bool] = False

    def least_classes(self) -> int:
        """How many classes its loss needs."""
        return 2

    def prepare(self, made: Any, classes: int) -> None:
        """Set what the class's constructor does not take, for a model of so many classes."""

    def find(
        self, model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, seed: int
    ) -> Tensor:
        """What the class finds; see :meth:`Wrapped.find`."""
        from hfcbench_torchattacks.searching import run_library

        return run_library(self, model, images, labels, {self.epsilon_name: epsilon, **vars(self)})


class L2Attack(LibraryAttack):
    """A class of torchattacks that keeps to a Euclidean ball."""

    norm: Norm = "l2"


class UnboundedAttack(LibraryAttack):
    """A class of torchattacks that takes no epsilon, and looks for a small change on its own.

    It searches once for all epsilons. What it finds further away than epsilon in ``norm`` counts as
    not found: the image itself is returned. Subclasses are dataclasses with a field ``norm``, which
    is not the library's.
    """

    def find(
        self, model: nn.Module, images: Tensor, labels: Tensor, epsilon: float, seed: int
    ) -> Tensor:
        """What the class finds, at any distance."""
        from hfcbench_torchattacks.searching import run_library

        parameters = dict(vars(self))
        del parameters["norm"]
        return run_library(self, model, images, labels, parameters)

    def perturb(
        self,
        model: torch.nn.Module,
        images: Tensor,
        labels: Tensor,
        epsilons: Sequence[float],
        generator: torch.Generator,
    ) -> list[Tensor]:
        """One search; of its images those within each epsilon.

        See :class:`hfcbench.attack_types.Attack`, and :meth:`Wrapped.perturb` for errors.
        """
        from hfcbench_torchattacks.searching import search_once

        return search_once(self, model, images, labels, epsilons, generator)
