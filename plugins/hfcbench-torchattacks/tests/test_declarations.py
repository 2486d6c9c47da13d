"""The attacks as hfcbench finds them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hfcbench_torchattacks import settings
from hfcbench_torchattacks.autoattack import AutoAttack
from hfcbench_torchattacks.unbounded_attacks import DeepFool

from hfcbench.errors import SpecificationError
from hfcbench.plugins import load_plugins
from hfcbench.references import parse_label


@pytest.fixture(scope="module")
def registry():
    plugins = load_plugins()
    assert plugins.failed == ()
    return plugins.registry


def resolved(registry, text):
    name, parameters = parse_label(text)
    return registry.resolve("attack", name, parameters)


def test_they_are_found_by_their_entry_point(registry):
    for name in ("apgd-ce", "apgd-dlr", "apgd-targeted", "fab", "square", "autoattack"):
        assert registry.get("attack", name).origin.distribution == "hfcbench-torchattacks"
        assert resolved(registry, name).label == name
    reference = resolved(registry, "torchattacks-deepfool(steps=20)")
    assert registry.create(reference) == DeepFool(steps=20)
    assert reference.parameters == {"steps": 20, "overshoot": 0.02, "norm": "l2"}
    assert registry.create(resolved(registry, "autoattack(norm=l2)")) == AutoAttack(norm="l2")
    assert resolved(registry, "torchattacks-pixle").label == "torchattacks-pixle"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("torchattacks-depfool", "there is no attack 'torchattacks-depfool'; did you mean"),
        ("torchattacks-deepfool(step=3)", "no parameter 'step'; did you mean 'steps'"),
        ("torchattacks-deepfool(epsilon=3)", "no parameter 'epsilon'"),
        ("torchattacks-pgd(steps=0)", "greater than or equal to 1"),
        ("torchattacks-tifgsm(kernel_name=box)", "'gaussian', 'linear' or 'uniform'"),
        ("square(norm=l1)", "'linf' or 'l2'"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_runs(registry, text, message):
    with pytest.raises(SpecificationError, match=message):
        resolved(registry, text)


@pytest.mark.parametrize("name", ["autoattack", "square", "apgd-targeted"])
def test_norm_l2_without_the_authors_code_says_what_to_install(registry, name, monkeypatch):
    monkeypatch.setattr(settings, "find_spec", lambda _: None)
    with pytest.raises(SpecificationError, match="needs pyautoattack") as caught:
        registry.create(resolved(registry, f"{name}(norm=l2)"))
    assert "pip install pyautoattack" in str(caught.value)
    registry.create(resolved(registry, name))


def test_declaring_and_making_them_loads_no_torch():
    program = (
        "import sys\n"
        "from hfcbench_torchattacks.plugin import hfcbench_register_attacks\n"
        "hfcbench_register_attacks(lambda name, factory, **_: factory())\n"
        "print(sorted({'torch', 'numpy', 'torchattacks', 'pyautoattack'} & set(sys.modules)))\n"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert output.stdout.strip() == "[]", output.stderr
