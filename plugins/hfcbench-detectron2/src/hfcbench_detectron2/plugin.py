"""The model, declared to hfcbench."""

from __future__ import annotations

from hfcbench import hookimpl
from hfcbench.detection_types import Detector
from hfcbench.hookspecs import Register
from hfcbench_detectron2.detector import Detectron2


@hookimpl
def hfcbench_register_models(register: Register[Detector]) -> None:
    register("detectron2", Detectron2, version="1", argument="config")
