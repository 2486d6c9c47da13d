"""What tables of frames share."""

from __future__ import annotations

from hfcbench.cli.frames import advice, with_interval
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
