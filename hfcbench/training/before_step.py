"""What a step of training starts from, in case it must be taken again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from hfcbench.devices import RandomStates


class BeforeStep:
    """Undoes what computing a gradient has done so far; the weights are only changed after that.

    Remembering costs next to nothing: of tensors it is only seen whether they were written to.

    Args:
        module: in training mode.
        buffers: of the module, such as BatchNorm's averages.
        images: what the step is given, before it is augmented.
        generators: of augmentation and heuristics; torch's own count in any case.
    """

    def __init__(
        self,
        module: nn.Module,
        buffers: Sequence[Tensor],
        images: Tensor,
        generators: Iterable[torch.Generator],
    ) -> None:
        self._module = module
        self._buffers = buffers
        self._images = images
        self._versions = [tensor._version for tensor in (*buffers, images)]
        self._drawn = RandomStates(images.device, generators)

    def undo(self) -> str | None:
        """Forget gradients, and let everything random draw the same again.

        Returns:
            Why the step cannot be taken again: something was written to that would show.
        """
        *buffers, images = (tensor._version for tensor in (*self._buffers, self._images))
        if buffers != self._versions[:-1]:
            return "BatchNorm or another layer has put it into its averages"
        if images != self._versions[-1]:
            return "a heuristic has changed its images in place"
        self._module.zero_grad(set_to_none=True)
        self._drawn.restore()
        return None
