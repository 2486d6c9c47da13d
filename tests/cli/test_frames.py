"""What tables of frames share."""

from __future__ import annotations

import pandas as pd

from hfcbench.cli.frames import advice, short_models, shortened, with_interval
from hfcbench.reliability_checks import ADVICE
from hfcbench.results.queries.reliability import flags_among


def test_advice_is_of_flags_and_not_of_attacks_that_are_called_alike():
    texts = ["transfer pgd(steps=5, restarts=2)@0.03: more-steps, black-box; fgsm@0.03: black-box"]
    assert advice(flags_among([*texts, ""])) == [
        f"flag {name}: {ADVICE[name]}" for name in ("more-steps", "black-box")
    ]
    assert advice(flags_among(["pgd@0.03: transfer"])) == [f"flag transfer: {ADVICE['transfer']}"]
    assert advice(flags_among([])) == []


def test_intervals_of_what_is_known():
    record = {"a": 0.12345, "a_low": 0.1, "a_high": 0.2, "b": float("nan"), "b_low": 0, "b_high": 1}
    assert with_interval(record, "a") == "0.123 [0.100, 0.200]"
    assert with_interval(record, "b") == ""


def test_long_labels_of_models_lose_what_they_share():
    one = "faster-rcnn(backbone=resnet18, width=32, channels=64, proposals=200)"
    other = "faster-rcnn(backbone=resnet18, width=16, channels=64, proposals=200)"
    broken = "a label that nobody can read(because=[it has no end, and is very long"
    frame = pd.DataFrame({"model": [one, other, one, "resnet18(width=8)", broken]})
    short = {one: "faster-rcnn(width=32)", other: "faster-rcnn(width=16)"}
    same = {label: label for label in ("resnet18(width=8)", broken)}
    assert short_models(frame) == short | same
    assert shortened(frame) == [f"{name}: {label}" for label, name in short.items()]
    assert short_models(pd.DataFrame({"heuristics": ["vanilla"]})) == {}
