"""Suites that come with hfcbench, each a YAML file beside this module."""

from __future__ import annotations

from importlib.resources import files

from hfcbench import hookimpl
from hfcbench.hookspecs import RegisterSuite


@hookimpl
def hfcbench_register_suites(register: RegisterSuite) -> None:
    here = files(__package__)
    register(
        "smoke",
        here / "smoke.yaml",
        version="1",
        description="One small network, a few epochs: does everything work on this machine?",
    )
    register(
        "classification",
        here / "classification.yaml",
        version="1",
        description="Architectures, heuristics, attacks and a defence against frequency components",
    )
    register(
        "detection",
        here / "detection.yaml",
        version="1",
        description="A small detector on rendered pictures against frequency components",
    )
