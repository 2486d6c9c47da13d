"""The built-ins are held to the contracts that plugin authors test theirs with."""

from __future__ import annotations

import importlib
from functools import cache

import pytest

from hfcbench.plugins import Plugins, load_plugins
from hfcbench.references import KINDS, Kind
from hfcbench.testing import (
    AnalysisContract,
    AttackContract,
    DatasetContract,
    DecompositionContract,
    DefenceContract,
    DetectionDatasetContract,
    DetectionMetricContract,
    DetectorContract,
    ExecutorContract,
    HeuristicContract,
    MetricContract,
    ModelContract,
    PluginContract,
    SuiteContract,
)
from hfcbench.types import ImageShape, task_of

# Their content is files that are not there; tests/datasets makes stand-ins of them.
NEED_FILES = {"cifar10", "cifar100", "mnist", "fashion-mnist", "image-folder", "coco"}
# SSD is never small; tests/models and tests/suites test it and the paper's suites.
SLOW = {"ssd", "detection", "paper"}
CONTRACTS: dict[Kind, type[PluginContract]] = {
    "analysis": AnalysisContract,
    "attack": AttackContract,
    "dataset": DatasetContract,
    "decomposition": DecompositionContract,
    "defence": DefenceContract,
    "executor": ExecutorContract,
    "heuristic": HeuristicContract,
    "metric": MetricContract,
    "model": ModelContract,
    "suite": SuiteContract,
}
DETECTION: dict[Kind, type[PluginContract]] = {
    "dataset": DetectionDatasetContract,
    "metric": DetectionMetricContract,
    "model": DetectorContract,
}
# Small enough to be quick, and able to be told from vanilla in a few steps.
PARAMETERS: dict[str, dict[str, object]] = {
    "planted-band": {"size": 16, "train_per_class": 5, "test_per_class": 3},
    "photo-objects": {"train": 12, "test": 8, "size": 96},
    "photo-patches": {"train_per_class": 8, "test_per_class": 5},
    "optimizer": {"name": "SGD"},
    "batch-size": {"size": 4},
    "dropout": {"p": 0.5},
    "adversarial-training": {"epsilon": 0.1, "steps": 2},
    "trades": {"steps": 2},
    "timm": {"architecture": "resnet10t"},
    "resnet18": {"width": 8},
    "vgg11": {"width": 8},
    "vgg16": {"width": 8},
    "alexnet": {"width": 8},
    "randomised-smoothing": {"draws": 4, "attack_draws": 2},
    "band-pgd": {"inner": 2, "outer": 6, "steps": 3},
    "retinanet": {"backbone": "resnet18", "width": 16, "channels": 64},
    "faster-rcnn": {"backbone": "resnet18", "width": 16, "channels": 64},
    "fcos": {"backbone": "resnet18", "width": 16, "channels": 64},
    "certified-accuracy": {"n": 20, "n0": 5},
}
# What is meant to differ, and why.
EXCEPTIONS: dict[str, dict[str, object]] = {
    # Filters overshoot at edges, and noise is not cut: their papers do neither.
    "low-pass": {"stays_in_range": False},
    "high-pass": {"stays_in_range": False},
    "svd-denoising": {"stays_in_range": False},
    "randomised-smoothing": {"stays_in_range": False},
    "critical-band": {"may_be_undefined": True},
    "prediction-conflicts": {"shape": ImageShape(3, 32, 32)},
    "noise": {"raises_the_loss": False},
    "loss": {"highest": float("inf"), "lowest": float("-inf")},
    "fft-band": {"cutoffs": ("1-3", "2-5")},
    "fft-radial-share": {"cutoffs": ("0.2", "0.4")},
    "map-small": {"box_size": 20.0},
    "map-medium": {"box_size": 60.0},
    "map-large": {"box_size": 120.0},
}


@cache
def builtins() -> Plugins:
    return load_plugins(installed=())


def names() -> list[tuple[Kind, str]]:
    found = [pair for plugin in builtins().loaded for pair in plugin.provides]
    left_out = NEED_FILES | {name for _, name in found if name.split("/")[0] in SLOW}
    return [(kind, name) for kind, name in found if name not in left_out]  # type: ignore[misc]


def contract_of(kind: Kind, name: str) -> PluginContract:
    registration = builtins().registry.get(kind, name)
    module = importlib.import_module(f"hfcbench.{registration.origin.plugin}")
    contracts = DETECTION if task_of(registration.factory) == "detection" else CONTRACTS
    contract = contracts[kind].of(module, name, **PARAMETERS.get(name, {}))
    for attribute, value in EXCEPTIONS.get(name, {}).items():
        setattr(contract, attribute, value)
    return contract


@pytest.mark.parametrize(("kind", "name"), names(), ids=lambda text: text)
def test_a_builtin_keeps_its_contract(kind, name):
    for test, call in contract_of(kind, name).promises().items():
        # A process for each would be slow: tests/test_builtins.py imports all of them at once.
        if test != "test_declaring_it_is_light":
            call()


def test_every_kind_has_a_contract():
    assert set(CONTRACTS) == set(KINDS)
