"""show, verify and compare on a database that a real run wrote."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
import yaml

from hfcbench.cli.main import call

SUITE = """\
title: Two small trainings
datasets: ["planted-band(size=16, train_per_class=40, test_per_class=20)"]
schedule: {epochs: 2, batch_size: 20, learning_rate: 0.002}
samples: {train: 60, attack: 10}
components: [original, lfc@4]
attacks: ["pgd(steps=2)"]
epsilons: [0.03]
attack_components: [original, hfc@4]
defences: [none, "kernel-smoothing(rho=0.25)"]
rescaling: clip
blocks:
  - models: [lenet5]
    heuristics: [[dropout, "mixup(alpha=0.3)"]]
    train_on: [original, lfc@4]
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with the database and checkpoints of a finished run."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "two.yaml").write_text(SUITE, encoding="utf-8")
    arguments = ["--db", str(folder / "results.db"), "--cache-dir", str(folder / "cache")]
    assert call(["run", "--suite", str(folder / "two.yaml"), "--device", "cpu", *arguments]) == 0
    return folder


@pytest.fixture
def place(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


def rows(place: Path, sql: str) -> list[tuple]:
    connection = sqlite3.connect(place / "results.db")
    found = connection.execute(sql).fetchall()
    connection.close()
    return found


def output(capsys, place: Path, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    places = ["--device", "cpu", "--cache-dir", str(place / "cache")]
    extra = places if arguments[0] in ("verify", "run") else []
    assert call([*arguments, *extra, "--db", str(place / "results.db")]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_every_evaluation_is_recomputed_to_the_last_digit(place, capsys):
    identities = [row[0] for row in rows(place, "select identity from evaluations")]
    assert len(identities) == 16
    for identity in identities:
        text = output(capsys, place, "verify", identity[:12], "--tolerance", "0")
        assert text.count("difference 0 (tolerance 0): agrees") == 2
        assert "0 of " in text
        assert text.endswith("verified\n")


def test_without_its_checkpoint_a_model_is_trained_again(place, capsys):
    shutil.rmtree(place / "checkpoints")
    (identity,) = rows(
        place,
        "select evaluation from results where trained_on = 'lfc@4' and attack <> 'none' "
        "and defence <> 'none' and component = 'hfc@4' and metric = 'top1'",
    )[0]
    text = output(capsys, place, "verify", identity)
    assert "trained again: the same checkpoint" in text
    assert "verified" in text
    assert not (place / "checkpoints").exists()
    (training,) = rows(place, "select identity from trainings limit 1")[0]
    assert "the same checkpoint\nverified" in output(capsys, place, "verify", training)


def test_a_forged_score_is_found(place, capsys):
    (identity,) = rows(place, "select evaluation from results where metric = 'top1'")[0]
    connection = sqlite3.connect(place / "results.db")
    connection.execute(
        "update scores set value = value + 0.01 where metric_id = (select metric_id from metrics "
        "where name = 'top1') and evaluation_id = (select evaluation_id from evaluations "
        "where identity = ?)",
        (identity,),
    )
    connection.commit()
    connection.close()
    text = output(capsys, place, "verify", identity, code=1)
    assert "top1: stored" in text
    assert "difference 0.01 (tolerance 0.002): DISAGREES" in text
    assert "NOT verified" in text
    assert "verified" in output(capsys, place, "verify", identity, "--tolerance", "0.02")


def test_what_has_changed_since_is_named(place, capsys):
    connection = sqlite3.connect(place / "results.db")
    connection.execute(
        "update trainings set identity = 'a' || substr(identity, 2), specification = "
        "json_set(specification, '$.model.version', '0', '$.dataset.fingerprint', 'ff')"
    )
    connection.commit()
    connection.close()
    (identity,) = rows(place, "select identity from evaluations")[0]
    text = output(capsys, place, "verify", identity, code=1)
    assert "cannot be recomputed here as it was" in text
    assert "model was" in text
    assert "dataset was" in text
    assert "seed was" not in text


def test_show_tells_everything_and_how_to_compute_it_again(place, capsys, tmp_path):
    (identity, top1) = rows(
        place, "select evaluation, value from results where metric = 'top1' and attack <> 'none'"
    )[0]
    text = output(capsys, place, "show", identity[:10])
    for part in (
        *(f"top1 (version 1) = {top1!r}", "torch_version: ", "host: ", "fingerprint: "),
        *("command: ", "seed: 0", "sha256: ", "git_revision: ", "device_name: ", " threads"),
        *('"procedure": "1"', f"hfcbench verify {identity[:12]} --db", "--format suite"),
    ):
        assert part in text
    document = json.loads(output(capsys, place, "show", identity, "--format", "json"))
    assert document["evaluation"]["identity"] == identity
    assert document["training"]["specification"]["samples"] == 60

    suite = output(capsys, place, "show", identity, "--format", "suite")
    parameters = {"steps": 2, "step_share": 0.1, "random_start": False}
    parameters |= {"restarts": 1, "norm": "linf"}
    assert yaml.safe_load(suite)["blocks"][0]["attacks"] == [{"pgd": parameters}]
    again = tmp_path / "again"
    again.mkdir()
    (again / "one.yaml").write_text(suite, encoding="utf-8")
    command = ["run", "--suite", str(again / "one.yaml"), "--db", str(again / "results.db")]
    assert call([*command, "--device", "cpu", "--cache-dir", str(place / "cache")]) == 0
    value = rows(
        again, f"select value from results where evaluation = '{identity}' and metric = 'top1'"
    )
    assert value == [(top1,)]


def test_show_a_training(place, capsys):
    (identity,) = rows(place, "select identity from trainings limit 1")[0]
    text = output(capsys, place, "show", identity)
    (evaluation,) = rows(place, f"select evaluation from results where training = '{identity}'")[0]
    assert f"training {identity}" in text
    assert evaluation[:12] in text
    assert "original under pgd(steps=2)@0.03 with kernel-smoothing(rho=0.25)" in text


def test_compare(place, capsys):
    first, second = (row[0] for row in rows(place, "select identity from trainings"))
    text = output(capsys, place, "compare", first[:8], second[:8], "--format", "csv")
    assert len(text.splitlines()) == 9
    assert "p_adjusted" in text.splitlines()[0]
    assert "lfc@4 [fft-radial, clip]" in text
    assert "is no id" in output(capsys, place, "compare", "x", "y", code=2)


def test_leaderboard_with_rank_intervals_and_seeds(place, capsys):
    text = output(capsys, place, "leaderboard", "--rank-intervals")
    assert "components: fft-radial (version 1), rescaling clip" in text
    assert "[1-" in text
    text = output(capsys, place, "leaderboard", "--group", "configuration", "--limit", "1")
    assert "left out: 3 rows beyond the limit" in text
