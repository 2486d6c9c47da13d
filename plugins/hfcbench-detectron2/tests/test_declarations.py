"""The model as hfcbench finds it, whether detectron2 is installed or not."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest
from hfcbench_detectron2 import detector, plugin
from hfcbench_detectron2.detector import Detectron2

from hfcbench.errors import SpecificationError
from hfcbench.plugins import load_plugins
from hfcbench.references import parse_label
from hfcbench.types import DataLocation

NAME = "COCO-Detection/retinanet_R_50_FPN_1x.yaml"


@pytest.fixture(scope="module")
def registry():
    plugins = load_plugins({"detectron2": plugin}, installed=())
    assert plugins.failed == ()
    return plugins.registry


def resolved(registry, text):
    name, parameters = parse_label(text)
    return registry.resolve("model", name, parameters)


@pytest.mark.parametrize("separator", [":", "/"])
def test_a_configuration_is_named_inline(registry, separator):
    reference = resolved(registry, f"detectron2{separator}{NAME}(weights=zoo)")
    assert registry.create(reference) == Detectron2(NAME, weights="zoo")
    assert reference.label == f"detectron2/{NAME}(weights=zoo)"
    assert resolved(registry, reference.label).parameters == reference.parameters


def test_options_and_paths_are_parameters(registry):
    reference = resolved(
        registry,
        "detectron2(config=mine/config.yaml, weights=mine/model_final.pth, "
        "weights_classes=[cat, hot dog], "
        "options={MODEL.RETINANET.SCORE_THRESH_TEST: 0.01, INPUT.MIN_SIZE_TEST: 640})",
    )
    made = registry.create(reference)
    assert made.options == {"MODEL.RETINANET.SCORE_THRESH_TEST": 0.01, "INPUT.MIN_SIZE_TEST": 640}
    assert made.weights_classes == ["cat", "hot dog"]
    schema = registry.get("model", "detectron2").schema
    paths = dict(schema.paths(reference.parameters))
    assert paths == {"config": "mine/config.yaml", "weights": "mine/model_final.pth"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("detectron2", "'config': Field required"),
        ("detectron2(config=a.yaml, weight=zoo)", "did you mean 'weights'"),
        ("detectron2(config=a.yaml, weights=3)", "'weights"),
        ("detectron2(config=a.yaml, options={a: {b: 1}})", "'options"),
    ],
)
def test_what_cannot_be_is_refused(registry, text, message):
    with pytest.raises(SpecificationError, match=message):
        resolved(registry, text)


def test_classes_of_weights_need_a_file():
    with pytest.raises(SpecificationError, match="which only a file of weights can have"):
        Detectron2(NAME, weights="zoo", weights_classes=["cat"])


def test_without_detectron2_the_message_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(detector, "find_spec", lambda _: None)
    made = Detectron2(NAME, weights="zoo")
    for use in (
        lambda: made.check(["person"]),
        lambda: made.build(["person"], DataLocation()),
        lambda: made.files_sha256(DataLocation()),
    ):
        with pytest.raises(SpecificationError, match="needs detectron2, which is not") as caught:
            use()
        assert "pip install --no-build-isolation git+https://" in str(caught.value)


@pytest.mark.skipif(find_spec("detectron2") is not None, reason="detectron2 is installed")
def test_it_is_missing_indeed():
    with pytest.raises(SpecificationError, match="needs detectron2"):
        Detectron2(NAME).check(["person"])


def test_declaring_and_making_it_loads_no_torch():
    program = (
        "import sys\n"
        "from hfcbench_detectron2.plugin import hfcbench_register_models\n"
        "hfcbench_register_models(lambda name, factory, **_: factory('a.yaml', weights='b.pth'))\n"
        "print(sorted({'torch', 'numpy', 'detectron2', 'yaml'} & set(sys.modules)))\n"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert output.stdout.strip() == "[]", output.stderr
