"""Where in the spectrum an attack puts the energy of its perturbations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from hfcbench import hookimpl
from hfcbench.errors import NodeError
from hfcbench.hookspecs import Register
from hfcbench.quantities import Analysis, Axis, Quantity, Subject
from hfcbench.types import ImageShape


@dataclass(frozen=True)
class PerturbationSpectrum:
    """The radial spectrum of adversarial perturbations."""

    attacked: ClassVar[bool] = True

    def check(self, shape: ImageShape) -> None:
        """Every image has a spectrum."""

    def measure(self, subject: Subject) -> Sequence[Quantity]:
        """Shares of energy by distance from DC, as means over images.

        ``energy-share`` is that of the ring ``r <= distance < r + 1``, ``energy-share-beyond`` that
        of all distances from ``r`` on, ``mean-radius`` the distance weighted by energy. Intervals
        are Student's t over images. Images that the attack left alone are counted in
        ``unperturbed`` and are not part of the means.

        Raises:
            NodeError: no image was perturbed.
        """
        import numpy as np
        import torch

        from hfcbench.analyses.perturbations import mean_quantity, ring_shares

        shares, unperturbed = ring_shares(subject)  # (N,R)
        if not len(shares):
            raise NodeError(
                f"{subject.attack_label} changed no image at epsilon {subject.epsilon}: there is "
                "no spectrum"
            )
        radii = torch.arange(shares.shape[1], dtype=shares.dtype)
        axis = Axis("radius", "cycles/image", tuple(radii.tolist()))
        beyond = shares.flip(1).cumsum(1).flip(1)
        return [
            mean_quantity("energy-share", "", shares, (axis,)),
            mean_quantity("energy-share-beyond", "", beyond, (axis,)),
            # The middle of a ring stands for its distances.
            mean_quantity("mean-radius", "cycles/image", (shares * (radii + 0.5)).sum(1), ()),
            Quantity("unperturbed", "images", np.array(float(unperturbed)), n=len(subject.images)),
        ]


@hookimpl
def hfcbench_register_analyses(register: Register[Analysis]) -> None:
    register("perturbation-spectrum", PerturbationSpectrum, version="1")
