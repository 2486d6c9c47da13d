"""Certified accuracy of the smoothed model (Cohen, Rosenfeld, Kolter 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Interval

from hfcbench import hookimpl
from hfcbench.hookspecs import Register
from hfcbench.quantities import Analysis, Axis, Quantity, Subject
from hfcbench.types import ImageShape


@dataclass(frozen=True)
class CertifiedAccuracy:
    """Accuracy that no change of Euclidean length up to a radius can take from the smoothed model.

    Attributes:
        sigma: standard deviation of the smoothing noise in pixel units of [0,1].
        n0: draws that the class is chosen by.
        n: draws that its probability is bounded by; the source takes 100,000. No radius beyond
            ``sigma * Phi^-1(alpha**(1/n))`` can be certified: with the defaults 3.2 sigma.
        alpha: the certificate of an image is wrong with at most this probability.
        radii: Euclidean, in pixel units of [0,1] over all pixels and channels of an image.
    """

    sigma: Annotated[float, Gt(0)] = 0.25
    n0: Annotated[int, Ge(1)] = 100
    n: Annotated[int, Ge(1)] = 10_000
    alpha: Annotated[float, Interval(gt=0, lt=0.5)] = 0.001
    radii: list[Annotated[float, Ge(0)]] = field(
        default_factory=lambda: [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5]
    )
    attacked: ClassVar[bool] = False

    def check(self, shape: ImageShape) -> None:
        """Any images will do."""

    def measure(self, subject: Subject) -> Sequence[Quantity]:
        """``certified-accuracy`` by radius, ``abstentions``, and ``mean-certified-radius``.

        The subject's model is the one that is smoothed: it must not be smoothed already. The
        smoothed model answers with the class that is most probable under noise. An image counts at
        a radius if that answer is certified, with probability ``1 - alpha``, to be the right one
        for every image within it. An image whose most probable class cannot be told abstains, and
        counts at no radius. In the mean (Zhai et al. 2020) wrong answers and abstentions count as
        radius 0. Intervals are about the choice of images, Wilson's of shares and Student's of the
        mean; ``alpha`` comes on top.

        Source: algorithm CERTIFY and section 4.

        Raises:
            NodeError: the model answers at random, as smoothed models do.
        """
        import numpy as np
        import torch

        from hfcbench.analyses.certificates import ABSTAINED, certify
        from hfcbench.analyses.perturbations import mean_quantity
        from hfcbench.analyses.subjects import proportion

        classes, certified = certify(subject, self.sigma, self.n0, self.n, self.alpha)
        n = len(classes)
        right = classes == subject.images.labels
        kept = right[:, None] & (certified[:, None] >= np.array(self.radii))  # (N,R)
        axis = Axis("l2-radius", "pixel range", tuple(self.radii))
        counted = torch.from_numpy(np.where(right, certified, 0.0))
        return [
            proportion("certified-accuracy", kept.sum(0), n, (axis,)),
            proportion("abstentions", np.array(int((classes == ABSTAINED).sum())), n),
            mean_quantity("mean-certified-radius", "pixel range", counted, ()),
        ]


@hookimpl
def hfcbench_register_analyses(register: Register[Analysis]) -> None:
    register("certified-accuracy", CertifiedAccuracy, version="1")
