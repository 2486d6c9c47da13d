"""What an analysis promises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch

from hfcbench.attacks.pgd import PGD
from hfcbench.quantities import Quantity, Subject
from hfcbench.references import Kind
from hfcbench.testing import samples
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.types import ImageShape, ImageSplit

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_IMAGES = 12
_ROUNDING = 1e-6


class AnalysisContract(PluginContract):
    """Tests of an analysis; see :class:`hfcbench.quantities.Analysis`.

    Attributes:
        shape: of the images that it is tried on.
        may_be_undefined: whether numbers may be NaN or infinite, where nothing was found.
    """

    kind: ClassVar[Kind] = "analysis"
    shape: ImageShape = ImageShape(3, 16, 16)
    may_be_undefined: bool = False

    def subject(self) -> Subject:
        """What is analysed: a small network, and an attack for analyses that are of attacks."""
        pixels = samples.images(self.shape, _IMAGES).mul(255).round().to(torch.uint8).numpy()
        split = ImageSplit(pixels, np.arange(_IMAGES) % samples.CLASSES)
        model, device = samples.Watched(self.shape), torch.device("cpu")
        if not self.made().attacked:
            return Subject(model, split, device)
        return Subject(model, split, device, 0, PGD(steps=3), "pgd(steps=3)", 0.05)

    def test_quantities_have_names_and_finite_numbers(self) -> None:
        """At least one; names are unique, and as Quantity says."""
        names: set[str] = set()
        for quantity in self._measured(self.subject()):
            if not _NAME.fullmatch(quantity.name):
                raise self.fail(f"calls a quantity '{quantity.name}': use a-z, 0-9 and hyphens")
            if quantity.name in names:
                raise self.fail(f"has two quantities '{quantity.name}'")
            names.add(quantity.name)
            values = np.asarray(quantity.values)
            if not values.size:
                raise self.fail(f"has nothing in its quantity '{quantity.name}'")
            if not self.may_be_undefined and not np.isfinite(values).all():
                raise self.fail(f"has numbers in '{quantity.name}' that are not finite")
            self._check_interval(quantity)
        if not names:
            raise self.fail("measures nothing")

    def test_the_same_seed_gives_the_same_numbers(self) -> None:
        """Whatever the state of torch's global generator is before."""
        found = []
        with torch.random.fork_rng(devices=[]):
            for seed in (1, 2):
                torch.manual_seed(seed)
                found.append(self._measured(self.subject()))
        for first, again in zip(*found, strict=True):
            if first.name != again.name or not _equal(first, again):
                raise self.fail(
                    f"measures '{first.name}' differently at the same seed",
                    hint="draw from hfcbench.devices.generator_for(device, subject.seed, ...)",
                )

    def test_model_and_images_stay_as_they_were(self) -> None:
        """Other analyses get them too."""
        subject = self.subject()
        weights, pixels = samples.states(subject.model), subject.images.images.copy()
        self._measured(subject)
        if not samples.same_states(weights, samples.states(subject.model)):
            raise self.fail("changes the model that it analyses")
        if any(part.training for part in subject.model.modules()):
            raise self.fail("leaves the model in training mode")
        if not np.array_equal(pixels, subject.images.images):
            raise self.fail("changes the images that it is given")

    def _check_interval(self, quantity: Quantity) -> None:
        if quantity.low is None or quantity.high is None:
            return
        below, above = quantity.low - quantity.values, quantity.values - quantity.high
        if (below > _ROUNDING).any() or (above > _ROUNDING).any():
            raise self.fail(f"has '{quantity.name}' outside of its own interval")

    def _measured(self, subject: Subject) -> Sequence[Quantity]:
        analysis = self.made()
        analysis.check(self.shape)
        found: object = analysis.measure(subject)
        if not isinstance(found, Sequence) or not all(isinstance(q, Quantity) for q in found):
            raise self.fail("returns something else than a list of Quantity")
        return found


def _equal(first: Quantity, second: Quantity) -> bool:
    """Undefined numbers at the same places count as equal."""
    one, two = np.asarray(first.values), np.asarray(second.values)
    return np.array_equal(one, two, equal_nan=one.dtype.kind == "f")
