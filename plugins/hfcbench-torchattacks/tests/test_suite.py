"""The installed distribution, in a suite, from the command line."""

from __future__ import annotations

import hfcbench
from hfcbench.cli.main import call

SUITE = """\
title: Attacks of torchattacks
datasets: ["planted-band(size=16, inner=5, outer=8, classes=4, train_per_class=30)"]
schedule: {epochs: 6, batch_size: 20, learning_rate: 0.005}
samples: {attack: 16}
attacks: ["autoattack(steps=5, queries=20)", "torchattacks-deepfool(norm=linf, steps=10)", pgd]
epsilons: [0.01, 0.03]
blocks:
  - models: [lenet5]
"""
AUTOATTACK, DEEPFOOL = (
    "autoattack(steps=5, queries=20)",
    "torchattacks-deepfool(steps=10, norm=linf)",
)


def test_a_suite_runs_the_attacks_and_stores_their_scores(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "attacks.yaml").write_text(SUITE, encoding="utf-8")
    assert call(["run", "--suite", "attacks.yaml", "--cache-dir", "cache"]) == 0

    with hfcbench.open_store("results.db", read_only=True) as store:
        (row,) = store.leaderboard().frame.to_dict("records")
        _, plugins = store.query("select name, version from plugins where name = 'torchattacks'")
    assert plugins == [("torchattacks", "0.1.0")]
    for epsilon in (0.01, 0.03):
        # AutoAttack begins with a stronger attack than PGD of the same loss.
        assert row[f"{AUTOATTACK}@{epsilon}"] <= row[f"pgd@{epsilon}"] + 1e-9
        assert row[f"{DEEPFOOL}@{epsilon}"] <= row["original"]
    assert row[f"{AUTOATTACK}@0.03"] <= row[f"{AUTOATTACK}@0.01"]
