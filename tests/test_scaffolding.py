"""`hfcbench plugins new`: every kind is written, installed, tested, listed and used."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import hfcbench
from hfcbench.cli.main import call
from hfcbench.errors import UsageError
from hfcbench.references import KINDS, plural
from hfcbench.scaffolding import TEMPLATES, plan_distribution

ROOT = Path(hfcbench.__file__).parents[1]


def run(*command: object, cwd: Path, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess:
    """A program that imports this hfcbench, and what lies in the folders of ``path``."""
    folders = os.pathsep.join(map(str, (ROOT, *path)))
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": folders, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A distribution of each kind, as the command writes it."""
    folder = tmp_path_factory.mktemp("new")
    for kind in TEMPLATES:
        assert call(["plugins", "new", kind, f"own-{kind}", "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def installed(written, tmp_path_factory):
    """The folder that all of them are installed into, by their own build backend, offline."""
    pytest.importorskip("hatchling", reason="hatchling builds the distributions")
    target = tmp_path_factory.mktemp("site")
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    sources = sorted(written.iterdir())
    answer = run("-m", "pip", "install", *offline, "--target", target, *sources, cwd=written)
    assert answer.returncode == 0, answer.stderr
    return target


def test_there_is_a_template_for_every_kind():
    assert {template.kind for template in TEMPLATES.values()} == set(KINDS)


def test_new_distributions_pass_their_own_tests(written, installed):
    folders = sorted(written.glob("*/tests"))
    options = ("-q", "-W", "error", "-p", "no:cacheprovider", "--import-mode=importlib")
    # Not this project's settings, but those of a project without any.
    own = ("-c", os.devnull, "--rootdir", written)
    answer = run("-m", "pytest", *options, *own, *folders, cwd=written, path=(installed,))
    assert answer.returncode == 0, answer.stdout
    assert len(folders) == len(TEMPLATES)


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_new_plugin_is_listed(kind, written, installed):
    answer = run(
        "-m", "hfcbench", "list", plural(TEMPLATES[kind].kind), cwd=written, path=(installed,)
    )
    (line,) = [line for line in answer.stdout.splitlines() if line.startswith(f"own-{kind} ")]
    assert line.rstrip().endswith(f"hfcbench-own-{kind} 0.1.0")
    assert answer.returncode == 0, answer.stderr


SUITE = """\
title: The first hour
datasets: ["planted-band(size=16, inner=4, outer=7, classes=4, train_per_class=30)"]
schedule: {epochs: 6, batch_size: 20, learning_rate: 0.005}
attacks: [fgsm]
epsilons: [0.03]
components: [original, "lfc@4"]
defences: [none, "own-defence(sigma=2)"]
blocks:
  - models: [lenet5]
"""


def test_a_new_defence_stands_on_the_leaderboard(installed, tmp_path):
    (tmp_path / "first.yaml").write_text(SUITE, encoding="utf-8")
    answer = run(
        *("-m", "hfcbench", "run", "--suite", "first.yaml", "--cache-dir", "cache"),
        *("--device", "cpu"),
        cwd=tmp_path,
        path=(installed,),
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    with hfcbench.open_store(tmp_path / "results.db", read_only=True) as store:
        rows = store.leaderboard().frame.set_index("defence")
        _, plugins = store.query("select version from plugins where name = 'own-defence'")
    assert plugins == [("0.1.0",)]
    # The evidence lies at frequencies that such a blur takes away.
    assert rows.loc["none", "original"] > 0.9
    assert rows.loc["own-defence(sigma=2.0)", "original"] < rows.loc["none", "original"] - 0.2
    board = run("-m", "hfcbench", "leaderboard", cwd=tmp_path, path=(installed,))
    assert "own-defence(sigma=2.0)" in board.stdout


def test_new_code_is_formatted_and_checked(written):
    pytest.importorskip("ruff")
    for command in (("check", "--select", "E,F,W,B,UP,RUF,RET"), ("format", "--check")):
        options = ("--isolated", "--no-cache", "--line-length", "100")
        answer = run("-m", "ruff", *command, *options, ".", cwd=written)
        assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_distribution_says_where_it_comes_in(kind):
    distribution = plan_distribution(kind, "my-own")
    project = tomllib.loads(distribution.files["pyproject.toml"])["project"]
    assert project["name"] == "hfcbench-my-own"
    assert project["entry-points"] == {"hfcbench": {"my-own": "hfcbench_my_own.plugin"}}
    assert any(item.startswith("hfcbench>=") for item in project["dependencies"])
    for path, text in distribution.files.items():
        assert "$$" not in text, path
        assert not text.rstrip(" ").endswith("\n\n"), path


@pytest.mark.parametrize(
    "name", ["", "Blur", "my_blur", "-blur", "2blur", "a--b", "blur!", "../blur", "x" * 31, "ü"]
)
def test_names_that_nothing_can_have_are_refused(name):
    with pytest.raises(UsageError, match="cannot be the name of a plugin") as raised:
        plan_distribution("defence", name)
    assert "lower-case letters" in str(raised.value)


def test_a_name_does_not_repeat_the_project_s():
    with pytest.raises(UsageError, match="say 'blur'"):
        plan_distribution("defence", "hfcbench-blur")


@pytest.mark.parametrize("name", ["defence", "interval", "none", "register"])
def test_names_that_the_code_uses_make_classes_of_other_names(name):
    files = plan_distribution("defence", name).files
    source = files[f"src/hfcbench_{name}/plugin.py"]
    compile(source, "plugin.py", "exec")
    (declared,) = [line for line in source.splitlines() if line.startswith("class ")]
    assert source.count(declared.removesuffix(":").removeprefix("class ")) == 2


def test_nothing_is_overwritten(tmp_path, capsys):
    arguments = ["plugins", "new", "defence", "blur", "--out", str(tmp_path)]
    assert call(arguments) == 0
    readme = tmp_path / "hfcbench-blur" / "README.md"
    readme.write_text("mine", encoding="utf-8")
    assert call(arguments) == 2
    assert "is there already, and nothing is overwritten" in capsys.readouterr().err
    assert readme.read_text(encoding="utf-8") == "mine"


def test_an_unknown_kind_is_answered_with_those_there_are(capsys):
    assert call(["plugins", "new", "defense", "blur"]) == 2
    assert "'defence'" in capsys.readouterr().err
