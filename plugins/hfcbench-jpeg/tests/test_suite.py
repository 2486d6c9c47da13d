"""The installed distribution, in a suite, from the command line."""

from __future__ import annotations

import hfcbench
from hfcbench.cli.main import call

SUITE = """\
title: JPEG
datasets: ["planted-band(size=16, inner=5, outer=8, classes=4, train_per_class=30)"]
schedule: {epochs: 6, batch_size: 20, learning_rate: 0.005}
attacks: [fgsm]
epsilons: [0.03]
defences: [none, "jpeg(quality=5)"]
blocks:
  - models: [lenet5]
"""


def test_a_suite_finds_the_defence_and_stores_its_scores(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jpeg.yaml").write_text(SUITE, encoding="utf-8")
    assert call(["run", "--suite", "jpeg.yaml", "--cache-dir", "cache"]) == 0

    with hfcbench.open_store("results.db", read_only=True) as store:
        frame = store.leaderboard().frame.set_index("defence")
        _, plugins = store.query("select name, version from plugins where name = 'jpeg'")
    assert plugins == [("jpeg", "0.1.0")]
    # The evidence lies in high frequencies, which such compression removes.
    assert frame.loc["none", "original"] > 0.9
    assert frame.loc["jpeg(quality=5)", "original"] < frame.loc["none", "original"] - 0.2
    assert frame["fgsm@0.03"].notna().all()
