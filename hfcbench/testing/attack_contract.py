"""What an attack promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from hfcbench.adversarial.promises import TOLERANCE, attacked_images
from hfcbench.attack_types import Attack
from hfcbench.errors import NodeError
from hfcbench.references import Kind
from hfcbench.testing import samples
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.types import ImageShape

_EPSILONS = {"linf": (0.02, 0.1), "l2": (0.2, 1.0)}


class AttackContract(PluginContract):
    """Tests of an attack; see :class:`hfcbench.attack_types.Attack`.

    Attributes:
        shape: of the images that it is tried on.
        raises_the_loss: whether it should on a small convolutional network; noise need not.
    """

    kind: ClassVar[Kind] = "attack"
    shape: ImageShape = ImageShape(3, 16, 16)
    raises_the_loss: bool = True

    def test_images_stay_in_the_ball_and_in_the_pixel_range(self) -> None:
        """Within epsilon in the attack's norm, in [0,1], finite, of the same shape and type."""
        for seed in range(2):
            # Pixels at the ends of the range are where attacks forget it.
            images = samples.images(self.shape, seed=seed)
            images[0], images[1] = 0.0, 1.0
            self._found(images=images, seed=seed)

    def test_an_epsilon_of_zero_moves_nothing(self) -> None:
        """Beyond rounding."""
        (found,) = self._found([0.0])
        if float((found - samples.images(self.shape)).abs().amax()) > TOLERANCE:
            raise self.fail("moves pixels at epsilon 0")

    def test_the_same_generator_gives_the_same_images(self) -> None:
        """Whatever the state of torch's global generator, which is not the attack's."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            first = self._found()
            torch.manual_seed(2)
            again = self._found()
        if not all(map(torch.equal, first, again)):
            raise self.fail(
                "finds other images with the same generator",
                hint="draw all random numbers from the generator that is handed in",
            )

    def test_an_epsilon_s_images_do_not_depend_on_other_epsilons(self) -> None:
        """Or scores would depend on what else a suite asks for."""
        epsilons = self._epsilons()
        together = self._found(epsilons)
        for epsilon, found in zip(epsilons, together, strict=True):
            if not samples.is_close(self._found([epsilon])[0], found, 1e-5):
                raise self.fail(
                    f"finds other images at epsilon {epsilon:g} where others are asked for too",
                    hint="restore the generator's state before each epsilon",
                )

    def test_nothing_that_it_is_given_changes(self) -> None:
        """Neither images, labels, weights nor the model's mode and gradients."""
        model, images = self._model(), samples.images(self.shape)
        labels = _labels(model, images)
        before = samples.states(model)
        self._attack().perturb(model, images, labels, self._epsilons(), _generator())
        if not torch.equal(images, samples.images(self.shape)):
            raise self.fail("changes the images that it is given", hint="work on a copy")
        if not torch.equal(labels, _labels(self._model(), samples.images(self.shape))):
            raise self.fail("changes the labels that it is given")
        if not samples.same_states(before, samples.states(model)):
            raise self.fail("changes the model's weights")
        if any(part.training for part in model.modules()):
            raise self.fail("leaves the model in training mode")
        if not all(parameter.requires_grad for parameter in model.parameters()):
            raise self.fail("leaves the model's parameters without gradients")

    def test_it_raises_the_loss(self) -> None:
        """On the whole, at the largest epsilon."""
        if not self.raises_the_loss:
            return
        model, images = self._model(), samples.images(self.shape)
        labels = _labels(model, images)
        clean = _loss(model, images, labels)
        attacked = _loss(model, self._found()[-1], labels)
        if not attacked > clean:
            raise self.fail(
                f"does not raise the loss: {clean:.4f} before it, {attacked:.4f} after",
                hint="it must ascend; set raises_the_loss = False where it is not meant to",
            )

    def _attack(self) -> Attack:
        attack: object = self.made()
        if not isinstance(attack, Attack):
            raise self.fail(f"is a {type(attack).__name__}, which does not extend Attack")
        return attack

    def _model(self) -> nn.Module:
        return samples.Watched(self.shape)

    def _epsilons(self) -> Sequence[float]:
        return _EPSILONS[self._attack().norm]

    def _found(
        self, epsilons: Sequence[float] | None = None, images: Tensor | None = None, seed: int = 0
    ) -> list[Tensor]:
        attack, model = self._attack(), self._model()
        images = samples.images(self.shape) if images is None else images
        try:
            return attacked_images(
                attack,
                self.name,
                model,
                images,
                _labels(model, images),
                self._epsilons() if epsilons is None else epsilons,
                _generator(seed),
            )
        except NodeError as error:
            raise self.fail(f"breaks its promise: {error.what}", hint=error.hint) from error


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _labels(model: nn.Module, images: Tensor) -> Tensor:
    """What the model answers is taken for right: many attacks leave alone what is wrong already."""
    with torch.no_grad():
        answers: Tensor = model(images).argmax(1)
    return answers


def _loss(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    with torch.no_grad():
        return float(nn.functional.cross_entropy(model(images), labels))
