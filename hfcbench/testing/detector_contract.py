"""What a model that finds objects promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from hfcbench.detection.answers import checked
from hfcbench.detection_types import Target
from hfcbench.errors import NodeError
from hfcbench.references import Kind
from hfcbench.testing import samples
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.types import DataLocation, ImageShape, task_of


class DetectorContract(PluginContract):
    """Tests of a detector; see :class:`hfcbench.detection_types.Detector`.

    Attributes:
        shape: of the pictures that it is tried on.
        classes: that it is built for.
        location: where files that its parameters name lie.
    """

    kind: ClassVar[Kind] = "model"
    shape: ImageShape = ImageShape(3, 96, 96)
    classes: Sequence[str] = ("ring", "square", "triangle")
    location: DataLocation = DataLocation()

    def test_it_says_that_it_is_for_detection(self) -> None:
        """By its ``task``."""
        if task_of(self.made()) != "detection":
            raise self.fail("does not say task = 'detection'")

    def test_it_finds_objects_in_pictures_as_they_are(self) -> None:
        """Boxes, scores and classes of each picture ``(3,H,W)`` in [0,1]."""
        self._found(self._built().eval())

    def test_in_evaluation_mode_every_part_of_it_is(self) -> None:
        """``eval()`` is all that hfcbench calls."""
        if any(part.training for part in self._built().train().eval().modules()):
            raise self.fail("has parts that stay in training mode after eval()")

    def test_answers_are_repeatable_and_change_nothing(self) -> None:
        """Nor do they depend on what was asked before."""
        module = self._built().eval()
        before = samples.states(module)
        first, again = self._found(module), self._found(module)
        for one, two in zip(first, again, strict=True):
            if not all(map(torch.equal, one, two)):
                raise self.fail("answers the same picture differently in evaluation mode")
        if not samples.same_states(before, samples.states(module)):
            raise self.fail("changes its own buffers while it answers in evaluation mode")

    def test_a_checkpoint_is_all_of_it(self) -> None:
        """What its parameters and buffers do not hold is lost between training and evaluation."""
        first, second = self._built(1).eval(), self._built(2).eval()
        second.load_state_dict(first.state_dict())
        for one, two in zip(self._found(first), self._found(second), strict=True):
            if not all(map(torch.equal, one, two)):
                raise self.fail("answers differently with the weights of a checkpoint")

    def test_it_can_be_trained(self) -> None:
        """The loss is a number with finite gradients, also of a picture without objects."""
        module: Any = self._built().train()
        pictures = list(samples.images(self.shape, 2))
        boxes = torch.tensor([[8.0, 8.0, 40.0, 48.0], [30.0, 20.0, 80.0, 90.0]])
        none = Target(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
        loss: object = module.loss(pictures, [Target(boxes, torch.tensor([0, 2])), none])
        if not isinstance(loss, Tensor) or loss.ndim or not loss.requires_grad:
            raise self.fail("has a loss that is no single number with a gradient")
        torch.autograd.backward(loss)
        gradients = [item.grad for item in module.parameters() if item.grad is not None]
        if not bool(loss.isfinite()) or not all(bool(g.isfinite().all()) for g in gradients):
            raise self.fail("has a loss or gradients that are not finite")
        if not any(bool(gradient.any()) for gradient in gradients):
            raise self.fail("has no gradient with respect to any weight")

    def _built(self, seed: int = 0) -> nn.Module:
        detector = self.made()
        detector.check(self.classes)
        detector.files_sha256(self.location)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module: object = detector.build(self.classes, self.location)
        if not isinstance(module, nn.Module):
            raise self.fail(f"builds a {type(module).__name__}, which is no module")
        return module

    def _found(self, module: nn.Module) -> list[tuple[Tensor, ...]]:
        answers = []
        for picture in samples.images(self.shape, 2):
            with torch.no_grad():
                answer: object = module(picture[None])
            try:
                arrays = checked(answer, len(self.classes))
            except NodeError as error:
                raise self.fail(f"gives no detections: {error.what}") from error
            answers.append(tuple(map(torch.from_numpy, arrays)))
        return answers
