"""What a defence promises."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from hfcbench.defence_modules import is_random
from hfcbench.devices import seeded
from hfcbench.errors import NodeError
from hfcbench.evaluation.prediction import checked_logits
from hfcbench.references import Kind
from hfcbench.testing import samples
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.types import ImageShape

_TOLERANCE = 1e-6
_CPU = torch.device("cpu")


class DefenceContract(PluginContract):
    """Tests of a defence; see :class:`hfcbench.types.Defence`.

    Attributes:
        shape: of the images that it is tried on.
        stays_in_range: whether the model is shown pixels in [0,1] only. Filters that overshoot
            and added noise say False.
        has_gradient: whether attacks find a gradient, as they should wherever there is any.
    """

    kind: ClassVar[Kind] = "defence"
    shape: ImageShape = ImageShape(3, 32, 32)
    stays_in_range: bool = True
    has_gradient: bool = True

    def undefended(self) -> samples.Watched:
        """The model that is defended."""
        return samples.Watched(self.shape)

    def test_the_model_gets_images_of_the_same_shape_in_the_pixel_range(self) -> None:
        """What the model is shown stays ``(N,C,H,W)``, and in [0,1] if it is said to."""
        model = self.undefended()
        self._answers(self._defended(model))
        for shown in model.seen:
            expected = (self.shape.channels, self.shape.height, self.shape.width)
            if tuple(shown.shape[1:]) != expected:
                raise self.fail(
                    f"shows its model images of shape {tuple(shown.shape[1:])} "
                    f"instead of {expected}"
                )
            low, high = float(shown.amin()), float(shown.amax())
            if not -torch.inf < low <= high < torch.inf:
                raise self.fail("shows its model pixels that are not finite")
            if self.stays_in_range and (low < -_TOLERANCE or high > 1 + _TOLERANCE):
                raise self.fail(
                    f"shows its model pixels from {low:g} to {high:g}, outside of [0,1]",
                    hint="clamp them, or set stays_in_range = False where that is meant",
                )

    def test_answers_are_logits_of_the_model_s_classes(self) -> None:
        """``(N,K)``, finite, one row per image."""
        answers: object = self._answers(self._defended(self.undefended()))
        try:
            logits = checked_logits(answers, 6, samples.CLASSES, "the defended model")
        except NodeError as error:
            raise self.fail(f"changes what its model answers: {error}") from error
        if not bool(logits.isfinite().all()):
            raise self.fail("answers with logits that are not finite")

    def test_the_given_model_stays_as_it_was(self) -> None:
        """Neither its weights nor its mode change, also when the defended model is used."""
        model = self.undefended().train()
        before = samples.states(model)
        self._answers(self._defended(model))
        if not samples.same_states(before, samples.states(model)):
            raise self.fail("changes the model that it is given", hint="defend a deep copy")
        if not all(part.training for part in model.modules()):
            raise self.fail("changes the mode of the model that it is given")

    def test_the_defended_model_is_in_evaluation_mode(self) -> None:
        """Every part of it, since dropout and BatchNorm would answer otherwise."""
        defended = self._defended(self.undefended().train())
        if any(part.training for part in defended.modules()):
            raise self.fail("returns a model in training mode", hint="return it with .eval()")

    def test_the_same_seed_gives_the_same_answers(self) -> None:
        """All that is random comes from torch's global generator; undeclared, nothing is."""
        defended = self._defended(self.undefended())
        first, again = self._answers(defended, 1), self._answers(defended, 1)
        if not torch.equal(first, again):
            raise self.fail(
                "answers differently at the same seed",
                hint="draw from torch's global generator only; it is seeded for every batch",
            )
        if not is_random(defended) and not torch.equal(first, self._answers(defended, 2)):
            raise self.fail(
                "is random and does not say so", hint="extend RandomAnswers of defence_modules"
            )

    def test_an_answer_does_not_depend_on_the_other_images(self) -> None:
        """Unless it is random, since numbers are drawn for a whole batch."""
        defended = self._defended(self.undefended())
        if is_random(defended):
            return
        together = self._answers(defended)
        with torch.no_grad():
            alone = torch.cat([defended(image[None]) for image in samples.images(self.shape)])
        if not samples.is_close(together, alone):
            raise self.fail("answers an image differently when others are in its batch")

    def test_gradients_change_no_answer(self) -> None:
        """An attack must climb the model that is scored; random ones may take other draws."""
        defended = self._defended(self.undefended())
        if is_random(defended):
            return
        images = samples.images(self.shape).requires_grad_()
        if not samples.is_close(defended(images).detach(), self._answers(defended)):
            raise self.fail("answers differently where gradients are taken")

    def test_attacks_find_a_gradient(self) -> None:
        """A finite one; a defence that only hides it looks robust without being so."""
        defended = self._defended(self.undefended())
        images = samples.images(self.shape).requires_grad_()
        loss = nn.functional.cross_entropy(defended(images), samples.labels())
        if not loss.requires_grad:
            raise self.fail("has no gradient", hint="extend InputTransform of defence_modules")
        (gradient,) = torch.autograd.grad(loss, images)
        if not bool(gradient.isfinite().all()):
            raise self.fail("has a gradient that is not finite")
        if self.has_gradient and not bool(gradient.any()):
            raise self.fail(
                "has a gradient of zero, which stops attacks and no attacker",
                hint="extend InputTransform of defence_modules, which passes it straight through",
            )

    def _defended(self, model: nn.Module) -> nn.Module:
        defended: object = self.made().defend(model)
        if not isinstance(defended, nn.Module):
            raise self.fail(f"returned {type(defended).__name__} instead of a model")
        return defended

    def _answers(self, defended: nn.Module, seed: int = 0) -> Tensor:
        with torch.no_grad(), seeded(_CPU, seed, "answers"):
            answers: Tensor = defended(samples.images(self.shape))
        return answers
