"""All defences and certificates from the command line, on a dataset whose evidence is known."""

from __future__ import annotations

import hfcbench
from hfcbench.cli.main import call

SUITE = """\
title: defences
datasets: ["planted-band(size=16, inner=5, outer=8, classes=4, train_per_class=30)"]
models: [lenet5]
schedule: {epochs: 6, batch_size: 20, learning_rate: 0.005}
samples: {test: 40}
blocks:
  - analyses: ["certified-accuracy(sigma=0.05, n0=20, n=100, radii=[0, 0.05])"]
  - attacks: ["pgd(steps=2)"]
    epsilons: [0.03]
    defences:
      - none
      - kernel-smoothing(layers=all, normalised=true)
      - low-pass(radius=5)
      - high-pass(radius=5)
      - bit-depth
      - median
      - svd-denoising(rank=4)
      - feature-squeezing(strength=0.02, search=3)
      - randomised-smoothing(sigma=0.05, draws=8, attack_draws=2)
"""


def test_a_suite_runs_every_defence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "defences.yaml").write_text(SUITE, encoding="utf-8")
    assert call(["run", "--suite", "defences.yaml", "--cache-dir", "cache"]) == 0

    with hfcbench.open_store("results.db", read_only=True) as store:
        board = store.leaderboard().frame.set_index("defence")
        _, rows = store.query("select name, value, n from quantities where axes = '[]'")
    assert len(board) == 9
    # The evidence lies at 5 to 8 cycles per image.
    clean = board["original"]
    assert clean["none"] == 1
    assert clean["high-pass(radius=5.0)"] > 0.6
    assert clean["low-pass(radius=5.0)"] < 0.5
    found = {name: (value, n) for name, value, n in rows}
    assert set(found) == {"abstentions", "mean-certified-radius"}
    assert found["abstentions"] == (0, 40)
    # With a hundred draws no radius is beyond 0.05 * 1.5.
    assert 0.06 < found["mean-certified-radius"][0] < 0.075
