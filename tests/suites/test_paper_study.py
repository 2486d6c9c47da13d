"""The paper's suites: what they share, and each of them end to end at a tiny size."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hfcbench.errors import SpecificationError
from hfcbench.plugins import load_plugins
from hfcbench.reports.claims.checking import check_statement
from hfcbench.reports.claims.statements import STATEMENTS
from hfcbench.reports.reading import read_study
from hfcbench.results.opening import open_store
from hfcbench.runner.session import Session, Settings
from hfcbench.suites.paper_study import EXPERIMENTS
from hfcbench.types import DataLocation

QUICK = (("scale",), "quick")
TINY = (
    QUICK,
    (("schedule", "epochs"), 1),
    (("samples",), {"train": 40, "test": 20, "attack": 10, "analysis": 4}),
    (("curves", "samples"), 10),
    (("models",), ["lenet5", "preact-resnet32(width=2)"]),
    (("datasets",), ["planted-band"]),
    (("components",), ["original", "lfc@4", "hfc@4", "lfc@12", "hfc@12"]),
    (("curves", "components"), ["original", "lfc@4", "hfc@4", "lfc@12", "hfc@12"]),
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def session(tmp_path_factory, cache):
    database = tmp_path_factory.mktemp("paper") / "results.db"
    return Session(load_plugins(), Settings(str(database), DataLocation(), cache, device="cpu"))


@pytest.mark.parametrize(
    ("overrides", "model"), [((), "preact-resnet32"), ((QUICK,), "resnet18(width=8)")]
)
def test_what_suites_share_is_done_once(session, overrides, model):
    whole = session.plan("paper", overrides)
    parts = [session.plan(f"paper/{name}", overrides) for name in EXPERIMENTS]
    identities = [node.training.identity for plan in parts for node in plan.nodes]
    assert {node.training.identity for node in whole.nodes} == set(identities)
    assert len(whole.nodes) == len(set(identities)) < len(identities) / 1.5
    vanilla = {
        node.training.identity
        for plan in parts
        for node in plan.nodes
        if node.training.model.label == model
        and node.training.heuristics_label == "vanilla"
        and node.training.component.label == "original"
    }
    assert len(vanilla) == 1
    # The same curves of the same images: no suite trains again for want of them.
    for plan in parts:
        for node in plan.nodes:
            shared = next(n for n in whole.nodes if n.training.identity == node.training.identity)
            assert shared.curve == node.curve


def test_full_scale_is_the_papers(session):
    trainings = [node.training for node in session.plan("paper").nodes]
    assert {(item.samples, item.scale) for item in trainings} == {(None, "full")}
    schedules = [item.schedule for item in trainings]
    assert {(item.epochs, item.batch_size, item.learning_rate) for item in schedules} == {
        (100, 100, 1e-4),
        (300, 100, 1e-4),
    }


def test_quick_says_so_in_every_identity(session):
    for node in session.plan("paper", (QUICK,)).nodes:
        assert node.training.canonical["scale"] == "quick"
        assert node.training.schedule.epochs <= 30


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_each_suite_runs_and_is_read_back(session, name):
    suite = f"paper/{name}"
    plan = session.plan(suite, TINY)
    summary, failures = session.run(plan, Console(file=io.StringIO()))
    assert [failure.error for failure in failures] == []
    assert summary.skipped == 0
    again, _ = session.run(session.plan(suite, TINY), Console(file=io.StringIO()))
    assert (again.trained, again.evaluated, again.analysed) == (0, 0, 0)
    with open_store(session.settings.database, read_only=True) as store:
        study = read_study(store, session.plugins.registry, suite, TINY, command="run it")
        findings = [
            (statement.name, finding)
            for statement in STATEMENTS
            if statement.suite == suite and name not in ("fig4", "optimizers")
            for finding in check_statement(statement, study)
        ]
    assert study.missing == 0
    assert study.scale == "quick"
    assert study.classes == {"planted-band": tuple(f"pattern-{number}" for number in range(10))}
    assert len(study.scores) == 2 * plan.evaluation_count  # top1 and loss
    assert {item.training for item in study.quantities} == {
        node.training.identity for node in plan.nodes if node.analyses
    }
    components = len(TINY[-1][1])
    views = 2 * 2 * components  # splits and metrics
    epochs = study.curves["epoch"].max()
    assert epochs == 1
    assert len(study.curves) == sum(views for _ in plan.nodes)
    for of, finding in findings:
        # Two models, one of them a ResNet, and every seed.
        assert finding.verdict != "not run", (of, finding)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (((("components",), ["lfc@40"]),), r"'lfc@40': no frequency of 32x32 images"),
        (((("models",), ["lenet5"]), (("heuristics",), ["dropout+dropout"])), "decide dropout"),
        (((("analyses",), ["prediction-conflicts(cutoff=40)"]),), "40"),
        (((("analyses",), ["perturbation-spectrum"]),), "there are no attacks"),
    ],
)
def test_what_cannot_be_run_is_said_before(session, overrides, message):
    with pytest.raises(SpecificationError, match=message):
        session.plan("paper/fig2", overrides)


def test_scales_are_the_authors_to_make(session):
    with pytest.raises(SpecificationError, match="does not say what it is at the scale 'quick'"):
        session.plan("classification", (QUICK,))
    with pytest.raises(SpecificationError, match="made for the scale 'quick' only"):
        session.plan("smoke", ((("scale",), "full"),))


def test_suites_that_include(session, tmp_path):
    path = tmp_path / "both.yaml"
    path.write_text("title: Both\nincludes: [paper/fig2, paper/svd]\n", encoding="utf-8")
    assert [len(node.analyses) for node in session.plan(str(path)).nodes] == [8]
    path.write_text("title: Bad\nincludes:\n  - paper/fig2\n  - paper/fig33\n", encoding="utf-8")
    with pytest.raises(SpecificationError, match=r"both\.yaml:4: there is no suite 'paper/fig33'"):
        session.plan(str(path))
    path.write_text(f"title: Loop\nincludes: ['{path}']\n", encoding="utf-8")
    with pytest.raises(SpecificationError, match="would include itself"):
        session.plan(str(path))
    path.write_text("title: Mixed\nincludes: [smoke]\nmodels: [lenet5]\n", encoding="utf-8")
    with pytest.raises(SpecificationError, match="cannot hold 'models' of its own"):
        session.plan(str(path))
