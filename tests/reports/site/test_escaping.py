"""Names come from plugins and databases: none of them is ever run, whatever it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import build_records as build
import pytest

from hfcbench.plugins import load_plugins
from hfcbench.reports.site.building import write_site
from hfcbench.results.opening import open_store
from hfcbench.types import DatasetDescription, ImageShape, Score

RUN = "window.planted = true"
PLANTS = {
    "model": f"</script><script>{RUN}</script>",
    "heuristics": f'"><img src=x onerror="{RUN}">',
    "dataset": f"../../<svg onload='{RUN}'>",
    "defence": f"'><b onmouseover={RUN}>{{{{ 7 * 7 }}}}",
    "attack": f'<a href="javascript:{RUN}">x</a>',
    "class": f"<style onload={RUN}></style>\u2028",
    "source": f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    "note": f"-->]]><script>{RUN}</script><!--",
    "suite": f"javascript:{RUN}",
    "device": f"<object data='javascript:{RUN}'>",
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a database whose every name is an attack on its readers."""
    folder = tmp_path_factory.mktemp("planted")
    description = DatasetDescription(
        (PLANTS["class"], "cat"), ImageShape(3, 8, 8), {"test": 100}, PLANTS["source"]
    )
    detection = replace(
        build.detection_dataset().description, classes=(PLANTS["class"], "person", "dog")
    )
    with open_store(folder / "results.db", create=True) as store:
        run = build.run(suite=PLANTS["suite"], device_name=PLANTS["device"])
        run_id = store.begin_run(run)
        store.add_dataset(build.dataset(name=PLANTS["dataset"], description=description))
        training = build.training(
            model=PLANTS["model"], heuristics=PLANTS["heuristics"], dataset_name=PLANTS["dataset"]
        )
        store.add_training(training, run_id)
        records = [
            build.evaluation(training, component, defence=defence, value=0.5)
            for component in ("original", "lfc@4", "lfc@8", "hfc@4", "hfc@8")
            for defence in ("none", PLANTS["defence"])
        ]
        attacks = [
            build.evaluation(training, value=0.25, attack="x", epsilon=epsilon)
            for epsilon in (0.03, 0.06)
        ]
        # The builder reads labels; this one cannot be read.
        records += [replace(one, attack=PLANTS["attack"]) for one in attacks]
        records.append(build.evaluation(training, value=0.25, attack="fgsm", epsilon=0.03))
        store.add_evaluations(records, run_id)
        note = build.note(training_identity=training.identity, kind="training", note=PLANTS["note"])
        store.add_note(note, run_id)
        store.add_dataset(
            build.detection_dataset(name=PLANTS["dataset"] + "2", description=detection)
        )
        detector = build.detector(model=PLANTS["model"], dataset_name=PLANTS["dataset"] + "2")
        store.add_training(detector, run_id)
        pictures = build.picture_set(class_names=detection.classes)
        found = build.detected(detector, among=pictures)
        scores = replace(found.scores[0], classes={PLANTS["class"]: Score(0.5, 0.25, 0.75, 2)})
        store.add_evaluations([replace(found, scores=(scores,))], run_id)
        write_site(store, load_plugins().registry, folder / "site")
    return folder / "site"


def test_file_names_are_of_letters_and_digits(planted):
    for path in planted.rglob("*.html"):
        name = path.relative_to(planted).as_posix()
        assert all(letter.isalnum() or letter in "-/." for letter in name), name
        assert ".." not in name


def test_nothing_that_was_planted_runs(planted, browser, wait):
    pages = sorted(planted.rglob("*.html"))
    assert len(pages) == 8
    for page in pages:
        browser.open(page)
        browser.run("for (const one of document.querySelectorAll('details')) one.open = true;")
        for chart in browser.run("return [...document.querySelectorAll('.chart')]"):
            browser.run("arguments[0].scrollIntoView()", chart)
        wait(
            lambda: browser.run(
                "return [...document.querySelectorAll('.chart')].every((one) => one.dataset.drawn)"
            )
        )
        assert browser.run("return window.planted") is None, page
        assert browser.messages() == [], page
        strangers = browser.run(
            "return [...document.querySelectorAll('img, iframe, object, b, body style, a[href]')]"
            ".filter((one) => one.tagName !== 'A' || !/\\.html(#|$)|^#/.test("
            "one.getAttribute('href'))).map((one) => one.outerHTML)"
        )
        assert strangers == [], page


def test_names_are_shown_as_they_are(planted, browser, wait):
    (page,) = (path for path in planted.glob("trainings/*") if "hfc@8" in path.read_text())
    browser.open(page)
    assert browser.run("return document.querySelector('h1').textContent") == PLANTS["model"]
    text = browser.run("return document.body.textContent")
    for kind in ("heuristics", "defence", "attack", "note", "suite", "device", "dataset"):
        assert PLANTS[kind] in text, kind
    for chart in browser.run("return [...document.querySelectorAll('.chart')]"):
        browser.run("arguments[0].scrollIntoView()", chart)
    # The chart's library reads a part of HTML, which names must not be.
    legend = "return [...document.querySelectorAll('.legendtext')].map((one) => one.textContent)"
    wait(lambda: PLANTS["attack"] in browser.run(legend))
    assert browser.run("return document.querySelectorAll('.chart a').length") == 0


def test_the_policy_stands_alone_against_inline_scripts(planted, browser, tmp_path):
    """Even a script that got into a page would not run."""
    page = (planted / "index.html").read_text(encoding="utf-8")
    broken = planted / "broken.html"
    broken.write_text(page.replace("</main>", f"<script>{RUN}</script></main>"), encoding="utf-8")
    try:
        browser.open(broken)
        assert browser.run("return window.planted") is None
        assert any("Content Security Policy" in message for message in browser.messages())
    finally:
        broken.unlink()
