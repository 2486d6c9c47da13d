"""Fixtures for tests of models."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from torchvision.models import detection, vgg

FILTERS = [8, 8, "M", 8, 8, "M", 8, 8, 8, "M", 8, 8, 512, "M", 8, 8, 512, "M"]


@pytest.fixture
def thin_vgg(monkeypatch):
    """SSD on a VGG-16 with few filters, since it takes no pictures that are smaller than 300.

    Returns:
        The state of what torchvision gives as VGG-16 with trained weights.
    """
    trained = vgg.make_layers(FILTERS).state_dict()

    def vgg16(weights=None, progress=True):
        features = vgg.make_layers(FILTERS)
        if weights is not None:
            features.load_state_dict(trained)
        return SimpleNamespace(features=features)

    monkeypatch.setattr(detection.ssd, "vgg16", vgg16)
    return {f"features.{name}": tensor for name, tensor in trained.items()}
