"""Reading the first convolution's kernels, and measuring how smooth they are."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from hfcbench.analyses.subjects import batches, logits_of
from hfcbench.errors import NodeError
from hfcbench.frequency.spectra import energy_beyond
from hfcbench.quantities import Axis, Quantity, Subject

_RESAMPLES = 2000
_RADII = tuple(round(0.1 * step, 1) for step in range(11))


def first_kernels(subject: Subject) -> Tensor:
    """The kernels ``(O,I,kH,kW)`` of the first convolution that the model calls, on the CPU.

    Raises:
        NodeError: it calls none.
    """
    called: list[nn.Conv2d] = []
    handles = [
        module.register_forward_pre_hook(lambda module, _: called.append(module))
        for module in subject.model.modules()
        if isinstance(module, nn.Conv2d)
    ]
    try:
        images, _ = next(batches(subject, 1))
        logits_of(subject, images)
    finally:
        for handle in handles:
            handle.remove()
    if not called:
        raise NodeError("there are no kernels to look at: the model calls no convolution")
    # After the call: a defence may change them during it.
    return called[0].weight.detach().float().cpu().clone()


def kernel_quantities(kernels: Tensor, padding: int, seed: int) -> list[Quantity]:
    """The kernels and the shares of their energy at high frequencies.

    Raises:
        NodeError: they exceed the padding, or all are zero.
    """
    if max(kernels.shape[2:]) > padding:
        size = "x".join(map(str, kernels.shape[2:]))
        raise NodeError(
            f"kernels of {size} exceed the padding of {padding}",
            hint=f"first-layer-kernels(padding={max(kernels.shape[2:])}) or more",
        )
    energies = energy_beyond(kernels, torch.tensor(_RADII), padding).double().numpy()  # (O,R)
    if not energies[:, 0].sum() > 0:
        raise NodeError("the kernels of the first convolution are all zero")
    chosen = np.random.default_rng(seed).integers(len(energies), size=(_RESAMPLES, len(energies)))
    sums = energies[chosen].sum(1)  # (resamples,R)
    drawn = sums / np.maximum(sums[:, :1], np.finfo(float).tiny)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    shares = energies.sum(0) / energies[:, 0].sum()
    half = _RADII.index(0.5)
    names = ("filter", "channel", "row", "column")
    axes = tuple(
        Axis(name, "", tuple(float(place) for place in range(size)))
        for name, size in zip(names, kernels.shape, strict=True)
    )
    relative = Axis("relative-frequency", "Nyquist", _RADII)
    return [
        Quantity("kernels", "", kernels.numpy(), axes),
        Quantity("spectral-energy-beyond", "", shares, (relative,), low, high),
        Quantity("high-frequency-share", "", shares[half], (), low[half], high[half]),
    ]
