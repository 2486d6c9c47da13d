"""show, verify and compare on the analyses that a real run made."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import yaml

from hfcbench.cli.main import call
from hfcbench.results.opening import open_store

SUITE = """\
title: Analyses of one small training
datasets: ["planted-band(size=16, train_per_class=20, test_per_class=10)"]
schedule: {epochs: 1, batch_size: 20, learning_rate: 0.002}
samples: {train: 60, test: 50, attack: 10, analysis: 30}
analyses: ["prediction-conflicts(cutoff=4)", first-layer-kernels, perturbation-spectrum]
attacks: ["pgd(steps=2)"]
epsilons: [0.03]
defences: [none, "kernel-smoothing(rho=0.25)"]
blocks:
  - models: [lenet5]
"""
SPECTRUM = "analysis = 'perturbation-spectrum' and defence <> 'none'"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with the database and the checkpoint of a finished run."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "one.yaml").write_text(SUITE, encoding="utf-8")
    run(folder, folder / "one.yaml", folder / "results.db")
    return folder


def run(folder: Path, suite: Path, database: Path) -> None:
    places = ["--db", str(database), "--cache-dir", str(folder / "cache"), "--device", "cpu"]
    assert call(["run", "--suite", str(suite), *places]) == 0


@pytest.fixture
def place(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


def ask(database: Path, sql: str, *values) -> list[tuple]:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(sql, values).fetchall()
        connection.commit()
        return rows


def identity_of(place: Path, where: str = SPECTRUM) -> str:
    ((identity,),) = ask(place / "results.db", f"select identity from analyses where {where}")
    return str(identity)


def output(capsys, place: Path, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    places = ["--device", "cpu", "--cache-dir", str(place / "cache")]
    extra = places if arguments[0] == "verify" else []
    assert call([*arguments, *extra, "--db", str(place / "results.db")]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_every_analysis_is_recomputed_to_the_last_digit(place, capsys):
    found = ask(
        place / "results.db",
        "select identity, count(*) from analyses join quantities using (analysis_id) "
        "group by identity",
    )
    assert len(found) == 6
    for identity, quantities in found:
        text = output(capsys, place, "verify", identity[:12], "--tolerance", "0")
        assert text.count("difference 0 (tolerance 0): agrees") == quantities
        assert text.endswith("\nverified\n")


def test_without_its_checkpoint_a_model_is_trained_again_and_analysed(place, capsys):
    shutil.rmtree(place / "checkpoints")
    text = output(capsys, place, "verify", identity_of(place))
    assert "trained again: the same checkpoint" in text
    assert text.endswith("\nverified\n")
    assert not (place / "checkpoints").exists()


FORGERIES = [
    # A number, and only an end of its interval.
    ("mean-radius", "value = value + 0.01", "difference 0.01 (tolerance 0.002)"),
    ("mean-radius", "high = high + 0.25", "difference 0.25 (tolerance 0.002)"),
    ("mean-radius", "low = NULL, high = NULL", "difference inf"),
    ("mean-radius", "n = 29", "stored with other n"),
    ("mean-radius", "unit = 'pixels'", "stored with other unit"),
    ("mean-radius", "name = 'median-radius'", "found now and not stored"),
    ("energy-share", "axes = replace(axes, '1.0', '1.5')", "stored with other axes"),
]


@pytest.mark.parametrize(("name", "change", "said"), FORGERIES, ids=[f[1] for f in FORGERIES])
def test_a_forged_quantity_is_found_and_named(place, capsys, name, change, said):
    identity = identity_of(place)
    ask(
        place / "results.db",
        f"update quantities set {change} where name = ? and analysis_id = "
        "(select analysis_id from analyses where identity = ?)",
        *(name, identity),
    )
    text = output(capsys, place, "verify", identity, code=1)
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name}: ")]
    assert said in line
    assert line.endswith("DISAGREES")
    assert text.splitlines()[-1].startswith("NOT verified: ")
    assert name in text.splitlines()[-1]
    assert "energy-share: " in text
    assert text.count("DISAGREES") == (2 if change.startswith("name") else 1)


def test_one_forged_number_of_an_array_is_found(place, capsys):
    identity = identity_of(place)
    with open_store(place / "results.db", read_only=True) as store:
        quantities = {item.name: item for item in store.quantities([identity])[identity]}
    values = quantities["energy-share"].values.copy()
    values[3] += np.float32(0.005)
    # Encoded by hand: zlib over shuffled bytes of little-endian float32.
    shuffled = np.frombuffer(values.astype("<f4").tobytes(), np.uint8).reshape(-1, 4).T.tobytes()
    ask(
        place / "results.db",
        "update quantities set array = ? where name = 'energy-share' and analysis_id = "
        "(select analysis_id from analyses where identity = ?)",
        *(zlib.compress(shuffled), identity),
    )
    text = output(capsys, place, "verify", identity, code=1)
    size = len(values)
    expected = f"energy-share: {size} values, largest difference 0.005 (tolerance 0.002): DISAGREES"
    assert expected in text
    assert text.endswith("NOT verified: energy-share\n")
    assert "verified" in output(capsys, place, "verify", identity, "--tolerance", "0.01")


def test_an_analysis_of_another_version_is_named(place, capsys):
    identity = identity_of(place)
    # As another version would have stored it: the identity follows from the specification.
    ask(
        place / "results.db",
        "update analyses set identity = 'a' || substr(identity, 2), specification = "
        "json_set(specification, '$.analysis.version', '0') where identity = ?",
        identity,
    )
    text = output(capsys, place, "verify", f"a{identity[1:]}", code=1)
    assert "cannot be recomputed here as it was: its analysis, attack" in text


def test_show_tells_everything_about_an_analysis(place, capsys):
    identity = identity_of(place)
    text = output(capsys, place, "show", identity[:10])
    ((value, low, high),) = ask(
        place / "results.db",
        "select value, quantities.low, high from quantities join analyses using (analysis_id) "
        "where identity = ? and name = 'mean-radius'",
        identity,
    )
    for part in (
        *(f"analysis {identity}", f"mean-radius = {value!r}", f"[{low!r}, {high!r}], n = 30"),
        *("energy-share: array of ", "radius: ", "analysis: perturbation-spectrum"),
        *("split: test", "defence: kernel-smoothing(rho=0.25)", "attack: pgd(steps=2)"),
        *("epsilon: 0.03", "n: 30", "command: ", "computed by run", "the same run"),
        *("fingerprint: ", "seed: 0", "sha256: ", '"kind": "analysis"'),
        f"hfcbench verify {identity[:12]} --db",
    ):
        assert part in text


def test_json_holds_every_number(place, capsys):
    identity = identity_of(place, "analysis = 'first-layer-kernels' and defence = 'none'")
    document = json.loads(
        output(capsys, place, "show", identity, "--format", "json"),
        parse_constant=lambda text: pytest.fail(f"{text} is no JSON"),
    )
    assert document["analysis"]["identity"] == identity
    assert document["condition"]["attack"] == "none"
    with open_store(place / "results.db", read_only=True) as store:
        stored = store.quantities([identity])[identity]
    assert [item["name"] for item in document["quantities"]] == [item.name for item in stored]
    for one, other in zip(document["quantities"], stored, strict=True):
        np.testing.assert_array_equal(np.array(one["values"], other.values.dtype), other.values)
        assert [axis["name"] for axis in one["axes"]] == [axis.name for axis in other.axes]


@pytest.mark.parametrize(
    "where",
    [SPECTRUM, "analysis like 'prediction-conflicts%' and defence = 'none'"],
)
def test_a_suite_computes_just_this_analysis(place, capsys, tmp_path, where):
    identity = identity_of(place, where)
    suite = output(capsys, place, "show", identity, "--format", "suite")
    assert len(yaml.safe_load(suite)["blocks"][0]["analyses"]) == 1
    again = tmp_path / "again"
    again.mkdir()
    (again / "one.yaml").write_text(suite, encoding="utf-8")
    run(place, again / "one.yaml", again / "results.db")
    assert ask(again / "results.db", "select identity from analyses") == [(identity,)]
    assert ask(again / "results.db", "select count(*) from evaluations") == [(0,)]
    quantities = (
        "select name, value, array from quantities join analyses using (analysis_id) "
        "where identity = ? order by name"
    )
    first, second = (ask(path / "results.db", quantities, identity) for path in (place, again))
    assert first == second


def test_a_training_lists_its_analyses(place, capsys):
    ((training,),) = ask(place / "results.db", "select identity from trainings")
    text = output(capsys, place, "show", training)
    assert text.index("\nevaluations\n") < text.index("\nanalyses\n")
    spectrum = identity_of(place)
    expected = (
        f"  {spectrum[:12]}  perturbation-spectrum under pgd(steps=2)@0.03 with "
        "kernel-smoothing(rho=0.25): "
    )
    (line,) = [line for line in text.splitlines() if line.startswith(expected)]
    assert "mean-radius" in line
    assert line.endswith("n = 30")


def test_ids_that_are_several_or_none(place, capsys):
    ((training,),) = ask(place / "results.db", "select identity from trainings")
    ask(
        place / "results.db",
        "update analyses set identity = substr(?, 1, 20) || substr(identity, 21) "
        "where identity = ?",
        *(training, identity_of(place)),
    )
    text = output(capsys, place, "verify", training[:20], code=2)
    assert f"several ids begin with {training[:20]}: training {training[:16]}, analysis" in text
    text = output(capsys, place, "show", "0123456789", code=2)
    assert "no training, evaluation or analysis has an id that begins with 0123456789" in text


def test_analyses_have_no_predictions_to_compare(place, capsys):
    ids = [
        identity_of(place, f"analysis = 'first-layer-kernels' and defence {sign} 'none'")
        for sign in ("=", "<>")
    ]
    assert "cannot be compared image by image" in output(capsys, place, "compare", *ids, code=2)
