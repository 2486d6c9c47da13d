"""What a heuristic promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hfcbench.errors import NodeError
from hfcbench.recipes import configured
from hfcbench.references import Kind
from hfcbench.testing import samples
from hfcbench.testing.plugin_contract import PluginContract
from hfcbench.training.job import TrainingJob, TrainingResult
from hfcbench.training.loop import train
from hfcbench.types import Batch, Heuristic, ImageShape, ImageSplit, ModelOptions, Recipe, Schedule

_IMAGES = 24
_CPU = torch.device("cpu")


class HeuristicContract(PluginContract):
    """Tests of a heuristic, by short trainings; see :class:`hfcbench.types.Heuristic`.

    Attributes:
        shape: of the images that are trained on.
        schedule: what it changes.
    """

    kind: ClassVar[Kind] = "heuristic"
    shape: ImageShape = ImageShape(1, 12, 12)
    schedule: Schedule = Schedule(epochs=2, batch_size=8, learning_rate=0.01)

    def test_the_same_seed_trains_the_same_weights(self) -> None:
        """All that is random comes from the generators that are handed in."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            first = samples.states(self._trained().module)
            torch.manual_seed(2)
            again = samples.states(self._trained().module)
        if not samples.same_states(first, again):
            raise self.fail(
                "trains other weights at the same seed",
                hint="draw from the generator that is handed in",
            )

    def test_it_changes_the_training(self) -> None:
        """A heuristic without effect would be reported as one that does not matter."""
        vanilla = samples.states(self._trained(with_it=False).module)
        if samples.same_states(vanilla, samples.states(self._trained().module)):
            raise self.fail("trains the same weights as vanilla")

    def test_it_does_not_change_the_evaluation(self) -> None:
        """The checkpoint is all that is left of it: a new module with it answers the same."""
        result = self._trained()
        again = _Network().build(self.shape, samples.CLASSES, result.recipe.options).eval()
        try:
            again.load_state_dict(result.module.state_dict())
        except RuntimeError as error:
            raise self.fail(f"leaves more than weights in the model: {error}") from error
        images = samples.images(self.shape)
        with torch.no_grad():
            # Memory formats differ, and with them how sums round.
            same = samples.is_close(result.module(images), again(images), 1e-5)
        if not same:
            raise self.fail(
                "changes what the trained model answers, beside its weights",
                hint="remove hooks and wrappers when a batch is done",
            )
        for part in result.module.modules():
            if part._forward_hooks or part._forward_pre_hooks:
                raise self.fail("leaves hooks in the trained model")

    def test_it_leaves_torch_as_it_was(self) -> None:
        """Settings of the whole process would change what is computed after."""
        before = _settings()
        self._trained()
        if _settings() != before:
            raise self.fail("changes settings of torch that outlast the training")

    def test_batches_stay_images_and_probabilities(self) -> None:
        """Finite images of the same shape, targets ``(B,K)`` that sum to 1."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            module = _Network().build(self.shape, samples.CLASSES, self._recipe().options).train()
        images = samples.images(self.shape)
        targets = F.one_hot(samples.labels(), samples.CLASSES).float()
        changed: object = self._heuristic().transform(
            Batch(images, targets), module, torch.Generator().manual_seed(0)
        )
        if not isinstance(changed, Batch):
            raise self.fail(f"makes a {type(changed).__name__} of a batch")
        if changed.images.shape[1:] != images.shape[1:]:
            raise self.fail(f"makes images of shape {tuple(changed.images.shape)}")
        if not bool(changed.images.isfinite().all()):
            raise self.fail("makes pixels that are not finite")
        rows, classes = changed.targets.shape
        sums = changed.targets.sum(1)
        if (rows, classes) != (len(changed.images), samples.CLASSES) or not samples.is_close(
            sums, torch.ones_like(sums)
        ):
            raise self.fail("makes targets that do not sum to 1 for each image")

    def test_the_recipe_that_it_is_given_stays_as_it_was(self) -> None:
        """It returns another one, the same at every call."""
        given = Recipe(self.schedule)
        first, again = self._heuristic().configure(given), self._heuristic().configure(given)
        if given != Recipe(self.schedule) or given.claims:
            raise self.fail("changes the recipe that it is given", hint="use dataclasses.replace")
        if (first, first.claims) != (again, again.claims):
            raise self.fail("configures a recipe differently at a second call")

    def _heuristic(self) -> Heuristic:
        heuristic: object = self.made()
        if not isinstance(heuristic, Heuristic):
            raise self.fail(f"is a {type(heuristic).__name__}, which does not extend Heuristic")
        return heuristic

    def _recipe(self) -> Recipe:
        return configured(self.schedule, [self._heuristic()])

    def _trained(self, *, with_it: bool = True) -> TrainingResult:
        images = samples.images(self.shape, _IMAGES).mul(255).round().to(torch.uint8).numpy()
        split = ImageSplit(images, np.arange(_IMAGES) % samples.CLASSES)
        job = TrainingJob(
            split,
            split,
            self.shape,
            samples.CLASSES,
            _Network(),
            self.schedule,
            seed=0,
            device=_CPU,
            heuristics=(self._heuristic(),) if with_it else (),
        )
        try:
            return train(job)
        except NodeError as error:
            raise self.fail(f"cannot be trained with: {error.what}", hint=error.hint) from error


@dataclass(frozen=True)
class _Network:
    """A small network that follows every option."""

    def check(self, shape: ImageShape, classes: int, options: ModelOptions) -> None:
        """Anything will do."""

    def build(self, shape: ImageShape, classes: int, options: ModelOptions) -> nn.Module:
        norm = nn.BatchNorm2d(6) if options.batchnorm else nn.Identity()
        return nn.Sequential(
            nn.Conv2d(shape.channels, 6, 3, padding=1),
            norm,
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(options.dropout),
            nn.Linear(24, classes),
        )


def _settings() -> tuple[object, ...]:
    state: Tensor = torch.get_rng_state()
    return (
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
        state.numpy().tobytes(),
    )
