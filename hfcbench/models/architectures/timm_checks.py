"""Whether a timm model can take a dataset's images, found out without downloading anything."""

from __future__ import annotations

import difflib
from functools import lru_cache

import timm
import torch
from timm.layers.patch_embed import PatchEmbed
from timm.models import is_model_pretrained
from torch import nn

from hfcbench.errors import SpecificationError
from hfcbench.models.architectures.timm_models import timm_arguments
from hfcbench.types import ImageShape, ModelOptions

# BatchNorm cannot train on a single value per channel.
TRIAL_BATCH = 2


# A plan asks once per training; models differ less often than seeds and heuristics do.
@lru_cache(maxsize=256)
def check_timm_model(
    architecture: str, pretrained: bool, shape: ImageShape, classes: int, options: ModelOptions
) -> None:
    """Build the model and run it on torch's meta device, which costs neither memory nor time.

    Raises:
        SpecificationError: the name is unknown, has no weights though ``pretrained``, or the model
            refuses the images, the number of classes, or the options.
    """
    _check_name(architecture)
    if pretrained and not is_model_pretrained(architecture):
        raise SpecificationError(
            f"model 'timm/{architecture}' has no pretrained weights",
            hint="leave pretrained out, or choose one of timm.list_pretrained()",
        )
    network, logits = _try(architecture, shape, classes, options.dropout)
    if options.batchnorm:
        _refuse_batchnorm(architecture, network)
    _check_patches(architecture, network, shape)
    if not isinstance(logits, torch.Tensor) or logits.shape != (TRIAL_BATCH, classes):
        raise SpecificationError(
            f"model 'timm/{architecture}' is no classifier of whole images: it does not return "
            f"one number for each of {classes} classes"
        )


def _check_name(architecture: str) -> None:
    names = set(timm.list_models()) | set(timm.list_models(include_tags=True))
    if architecture in names:
        return
    base, _, tag = architecture.partition(".")
    if tag and base in names:
        tagged = sorted(name for name in names if name.startswith(f"{base}."))
        known = "its weights are " + ", ".join(tagged) if tagged else "it has no weights"
        raise SpecificationError(f"timm knows no weights '{tag}' of '{base}'; {known}")
    close = difflib.get_close_matches(architecture, sorted(names), n=3, cutoff=0.6)
    known = "; did you mean " + " or ".join(f"'{name}'" for name in close) + "?" if close else ""
    raise SpecificationError(
        f"timm {timm.__version__} knows no model '{architecture}'{known}",
        hint='all names: python -c "import timm; print(*timm.list_models())"',
    )


def _try(
    architecture: str, shape: ImageShape, classes: int, dropout: float, device: str = "meta"
) -> tuple[nn.Module, object]:
    """The model for these images, and what it returns for a batch of them while training."""
    arguments = timm_arguments(architecture, shape, classes, dropout)
    images = torch.zeros(TRIAL_BATCH, shape.channels, shape.height, shape.width, device=device)
    # Each architecture refuses in its own way: assertions, type, value and runtime errors.
    try:
        with torch.random.fork_rng(devices=[]), torch.device(device), torch.no_grad():
            network = timm.create_model(architecture, **arguments).train()
            return network, network(images)
    except Exception as error:
        if device == "meta" and "meta" in str(error).lower():
            # It looks at values, which the meta device has none of: run it for real.
            return _try(architecture, shape, classes, dropout, device="cpu")
        if "drop_rate" in str(error):
            raise SpecificationError(
                f"model 'timm/{architecture}' has no dropout: "
                "the heuristic 'dropout' cannot change it"
            ) from error
        reason = str(error) or f"it raises {type(error).__name__}"
        raise _misfit(architecture, shape, reason) from error


def _refuse_batchnorm(architecture: str, network: nn.Module) -> None:
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    if any(isinstance(module, kinds) for module in network.modules()):
        reason = "has BatchNorm already"
    else:
        reason = "has no place for BatchNorm"
    raise SpecificationError(
        f"model 'timm/{architecture}' {reason}: the heuristic 'batchnorm' cannot change it"
    )


def _check_patches(architecture: str, network: nn.Module, shape: ImageShape) -> None:
    """Raise if rows or columns that fill no whole patch would be dropped without a word."""
    for module in network.modules():
        if not isinstance(module, PatchEmbed) or module.dynamic_img_pad:
            continue
        rows, columns = module.patch_size
        if shape.height % rows or shape.width % columns:
            reason = f"they do not divide into patches of {rows}x{columns}"
            raise _misfit(architecture, shape, reason)


def _misfit(architecture: str, shape: ImageShape, reason: str) -> SpecificationError:
    configuration = timm.get_pretrained_cfg(architecture)
    hint = None
    if configuration is not None:
        usual = ImageShape(*configuration.input_size)
        hint = f"timm states {usual} as its usual input"
    first_line = reason.strip().partition("\n")[0]
    return SpecificationError(
        f"model 'timm/{architecture}' does not take {shape} images: {first_line}", hint=hint
    )
