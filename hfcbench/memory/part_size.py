"""How many images a model answers at once, and doing work again where they were too many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from torch import Tensor

from hfcbench.memory.exhaustion import (
    explained,
    forget,
    free_memory,
    is_out_of_memory,
    may_be_out_of_memory,
    whole_batch_error,
)

Result = TypeVar("Result")


@dataclass(frozen=True)
class Shown:
    """The images that a model was given in a call.

    Attributes:
        shape: of one of them.
        whole: why these cannot be fewer, if they cannot.
    """

    count: int
    shape: tuple[int, ...]
    whole: str | None

    def __str__(self) -> str:
        size = "x".join(map(str, self.shape))
        return f"one image of {size}" if self.count == 1 else f"{self.count} images of {size}"


class PartSize:
    """How many images a model is given at once: all, until memory runs out; then ever fewer.

    It is kept for the rest of a node, and shared: copies of a model that is called in parts
    (see :mod:`hfcbench.memory.calling`), such as defended ones, have the same and no copy of it.

    Args:
        least: so many images are never taken apart.
        doing: what notes begin with, if anything.

    Attributes:
        images: at most that many at once; None where all are.
    """

    def __init__(self, *, least: int = 1, doing: str = "") -> None:
        self.images: int | None = None
        self._least = least
        self._doing = doing
        self._whole_at_first = 0
        self._smallest = 0
        self._before: int | None = None
        self._shown: Shown | None = None
        self._judged = False
        self._why_whole: str | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know: nothing, or one sentence."""
        if not self._smallest:
            return ()
        said = f"{self._doing}out of memory at {self._whole_at_first} images: in parts of "
        if self.images is None:
            return (f"{said}{self._smallest} for a while",)
        return (f"{said}{self.images} from there on",)

    def began(self, images: Tensor, whole: str | None = None) -> None:
        """A model is given these images; until :meth:`ended`, they are what fills the memory.

        Args:
            whole: why they cannot be fewer, if they cannot.
        """
        self._shown = Shown(len(images), tuple(images.shape[1:]), whole)

    def ended(self) -> None:
        """The model has answered, and nothing of its work is kept for gradients."""
        self._shown = None

    def why_whole(self, judge: Callable[[], str | None]) -> str | None:
        """Why the model that is trained must be given all images at once; it is judged once."""
        if not self._judged:
            self._why_whole, self._judged = judge(), True
        return self._why_whole

    def helps(self, error: Exception) -> bool:
        """Whether the error is that memory ran out on images that can be fewer."""
        shown = self._shown
        if shown is None or not may_be_out_of_memory(error):
            return False
        return shown.whole is None and shown.count > self._least

    def fitted(
        self, attempt: Callable[[], Result], undo: Callable[[], str | None] | None = None
    ) -> Result:
        """What the attempt returns; where memory runs out, it is made again with fewer at once.

        Args:
            attempt: what it did before it failed must not show in what it does next.
            undo: called before each further attempt, to that end; returns why there can be none,
                if there cannot.

        Raises:
            NodeError: memory ran out, and fewer images do not help.
        """
        smallest = self._smallest
        while True:
            self._shown = None
            try:
                result = attempt()
            except Exception as error:
                told = self._why_not_again(error, undo)
                if told is not None:
                    self._smallest = smallest
                if told is error:
                    raise
                if told is not None:
                    raise told from error
                self._halve()
                forget(error)
            else:
                self._before = self.images
                self._shown = None
                return result
            free_memory()

    def explained(self, error: Exception) -> Exception:
        """The error, or what people should read where memory ran out and fewer do not help.

        Others of the node must not be slow for nothing: they are given as many images at once as
        before.
        """
        if not may_be_out_of_memory(error):
            return error
        self.images = self._before
        if self._shown is None:
            return explained(error)
        if self._shown.whole is not None:
            return self._trained_as_one(error, self._shown.whole)
        return explained(error, f"with {self._shown} in the model")

    def _why_not_again(
        self, error: Exception, undo: Callable[[], str | None] | None
    ) -> Exception | None:
        if not self.helps(error):
            return self.explained(error)
        why_whole = None if undo is None else undo()
        return None if why_whole is None else self._trained_as_one(error, why_whole)

    def _trained_as_one(self, error: Exception, why: str) -> Exception:
        if not is_out_of_memory(error):
            return error
        return whole_batch_error(error, f"at a batch of {self._shown}, which stays whole: {why}")

    def _halve(self) -> None:
        shown = self._shown
        if shown is None:
            raise ValueError("no model was called: there is nothing to halve")
        if self.images is None:
            self._whole_at_first = shown.count
        half = (shown.count + 1) // 2
        # Even, as parts of a batch of training may have to be: see training/memory_format.py.
        self.images = half if half == 1 else half + half % 2
        self._smallest = self.images
