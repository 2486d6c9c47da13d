"""The promises that every defence makes."""

from __future__ import annotations

from typing import ClassVar

import hfcbench_jpeg.plugin

from hfcbench.testing import DefenceContract


class TestJpeg(DefenceContract):
    plugin = hfcbench_jpeg.plugin
    name = "jpeg"
    parameters: ClassVar = {"quality": 30}
