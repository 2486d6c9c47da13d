"""What a model that classifies promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from hfcbench.errors import NodeError, SpecificationError
from hfcbench.evaluation.prediction import checked_logits
from hfcbench.references import Kind
from hfcbench.testing import samples
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.types import ImageShape, ModelOptions

_FEELS = 1e-4
"""How far the answers to black, white and grey images must lie apart, relative to their size: a
network that expects pixels of 0 to 255 hardly tells them apart."""


class ModelContract(PluginContract):
    """Tests of a classifier; see :class:`hfcbench.types.Model`.

    Attributes:
        shape: of the images that it is built for.
        classes: that it is built for.
    """

    kind: ClassVar[Kind] = "model"
    shape: ImageShape = ImageShape(3, 32, 32)
    classes: int = 5

    def expected(self, module: nn.Module) -> Callable[[Tensor], Tensor] | None:
        """What its authors' own code answers to images in [0,1], where there is such code.

        Override it for a network with trained weights, with its published normalisation: the module
        must answer the same, which a forgotten normalisation would not.
        """
        return None

    def test_it_takes_images_in_the_pixel_range_as_they_are(self) -> None:
        """``(N,C,H,W)`` float32 in [0,1] in, finite logits ``(N,K)`` out, which tell them apart."""
        module = self._built().eval()
        plain = torch.stack([torch.full(self._size(), value) for value in (0.0, 0.5, 1.0)])
        images = torch.cat([plain, samples.images(self.shape)])
        logits = self._logits(module, images)
        if not bool(logits.isfinite().all()):
            raise self.fail("answers images in [0,1] with logits that are not finite")
        spread = float((logits[:3] - logits[0]).abs().amax())
        if spread <= _FEELS * float(logits.abs().amax()):
            raise self.fail(
                "hardly tells black, grey and white images in [0,1] apart",
                hint="normalisation lies inside the module, for pixels of [0,1] and not 0 to 255",
            )

    def test_it_answers_as_its_authors_say(self) -> None:
        """See :meth:`expected`."""
        module = self._built().eval()
        expected = self.expected(module)
        if expected is None:
            return
        images = samples.images(self.shape)
        with torch.no_grad():
            wanted = expected(images)
        if not samples.is_close(wanted, self._logits(module, images), 1e-3):
            raise self.fail(
                "answers images in [0,1] otherwise than its authors' code",
                hint="normalisation lies inside the module",
            )

    def test_in_evaluation_mode_every_part_of_it_is(self) -> None:
        """``eval()`` is all that hfcbench calls."""
        module = self._built().train().eval()
        if any(part.training for part in module.modules()):
            raise self.fail("has parts that stay in training mode after eval()")

    def test_an_answer_does_not_depend_on_the_rest_of_the_batch(self) -> None:
        """As it would with BatchNorm in training mode."""
        module, images = self._built().eval(), samples.images(self.shape)
        together = self._logits(module, images)
        alone = torch.cat([self._logits(module, image[None]) for image in images])
        if not samples.is_close(together, alone, 1e-3):
            raise self.fail(
                "answers an image differently when others are in its batch",
                hint="statistics over a batch are for training mode only",
            )

    def test_answering_changes_nothing_and_is_repeatable(self) -> None:
        """No buffer moves, and the same images get the same answers."""
        module, images = self._built().eval(), samples.images(self.shape)
        before = samples.states(module)
        first, again = self._logits(module, images), self._logits(module, images)
        if not torch.equal(first, again):
            raise self.fail("answers the same images differently in evaluation mode")
        if not samples.same_states(before, samples.states(module)):
            raise self.fail("changes its own buffers while it answers in evaluation mode")

    def test_the_same_seed_builds_the_same_module(self) -> None:
        """All random initialisation draws from torch's global generator."""
        if not samples.same_states(samples.states(self._built()), samples.states(self._built())):
            raise self.fail(
                "is built with other weights at the same seed",
                hint="draw from torch's global generator, and from nothing else",
            )

    def test_a_checkpoint_is_all_of_it(self) -> None:
        """What its parameters and buffers do not hold is lost between training and evaluation."""
        first, second = self._built(seed=1).eval(), self._built(seed=2).eval()
        second.load_state_dict(first.state_dict())
        images = samples.images(self.shape)
        if not torch.equal(self._logits(first, images), self._logits(second, images)):
            raise self.fail(
                "answers differently with the weights of a checkpoint",
                hint="keep all that is learned or drawn in parameters and buffers",
            )

    def test_it_can_be_trained_and_attacked(self) -> None:
        """The loss has finite gradients to the images and to at least some of the weights."""
        module = self._built().train()
        images = samples.images(self.shape).requires_grad_()
        logits = checked_logits(module(images), len(images), self.classes, "it")
        torch.autograd.backward(nn.functional.cross_entropy(logits, samples.labels()))
        if images.grad is None or not bool(images.grad.isfinite().all()):
            raise self.fail("has no finite gradient with respect to the images")
        gradients = [item.grad for item in module.parameters() if item.grad is not None]
        if not any(bool(gradient.any()) for gradient in gradients):
            raise self.fail("has no gradient with respect to any weight")

    def test_options_are_followed_or_refused(self) -> None:
        """An option that is taken and ignored would be reported as a heuristic's score."""
        if self._takes(ModelOptions(batchnorm=True)):
            module = self._built(options=ModelOptions(batchnorm=True))
            batchnorm = nn.modules.batchnorm._BatchNorm
            if not any(isinstance(part, batchnorm) for part in module.modules()):
                raise self.fail(
                    "takes batchnorm=True and has no BatchNorm", hint="refuse it in check()"
                )
        if self._takes(ModelOptions(dropout=0.5)):
            module = self._built(options=ModelOptions(dropout=0.5)).train()
            with torch.no_grad(), torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                images = samples.images(self.shape)
                same = torch.equal(module(images), module(images))
            if same:
                raise self.fail("takes dropout=0.5 and drops nothing", hint="refuse it in check()")

    def _takes(self, options: ModelOptions) -> bool:
        try:
            self.made().check(self.shape, self.classes, options)
        except SpecificationError:
            return False
        return True

    def _built(self, seed: int = 0, options: ModelOptions | None = None) -> nn.Module:
        options = options or ModelOptions()
        model = self.made()
        model.check(self.shape, self.classes, options)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module: object = model.build(self.shape, self.classes, options)
        if not isinstance(module, nn.Module):
            raise self.fail(f"builds a {type(module).__name__}, which is no module")
        return module

    def _size(self) -> tuple[int, int, int]:
        return self.shape.channels, self.shape.height, self.shape.width

    def _logits(self, module: nn.Module, images: Tensor) -> Tensor:
        try:
            with torch.no_grad():
                return checked_logits(module(images), len(images), self.classes, "it")
        except (NodeError, RuntimeError, ValueError, TypeError) as error:
            raise self.fail(f"does not take float images in [0,1]: {error}") from error
