"""Python of the documentation runs, its plugins pass their tests, and its suites can be read."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml
from page_steps import PAGES, fenced_blocks, label

from hfcbench import hookimpl
from hfcbench.runner.suite_schema import SuiteSchema
from hfcbench.testing import AnalysisContract, AttackContract, HeuristicContract

# Its blocks are run on a database of another shape, by a test of their own.
ELSEWHERE = {"docs/questions.md"}


def pages_with(language: str):
    return [
        page
        for page in PAGES
        if label(page) not in ELSEWHERE
        and any(block.language == language for block in fenced_blocks(page))
    ]


def names_of(page) -> dict:
    """What the blocks of a page define together, run one after the other."""
    names: dict = {"__name__": "page"}
    for block in fenced_blocks(page):
        if block.language == "python" and not block.title:
            exec(compile(block.text, label(page), "exec", dont_inherit=True), names)
    return names


def write_files(page, folder) -> None:
    for block in fenced_blocks(page):
        if block.title:
            path = folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


@pytest.mark.parametrize("page", pages_with("python"), ids=label)
def test_python_runs(page, folder):
    for block in fenced_blocks(page):
        if block.language == "python":
            compile(block.text, block.title or label(page), "exec", dont_inherit=True)
    names_of(page)


def test_the_plugin_of_the_page_on_plugins_passes_its_tests(tmp_path):
    (page,) = (page for page in PAGES if label(page) == "docs/plugins.md")
    write_files(page, tmp_path)
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", ".", "tests"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([".", *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout


def test_what_the_page_on_plugins_defines_keeps_the_contracts():
    (page,) = (page for page in PAGES if label(page) == "docs/plugins.md")
    names = names_of(page)

    @hookimpl
    def hfcbench_register_attacks(register):
        register("signed-average", names["SignedAverage"], version="1")

    @hookimpl
    def hfcbench_register_heuristics(register):
        register("confidence-penalty", names["ConfidencePenalty"], version="1")

    @hookimpl
    def hfcbench_register_analyses(register):
        register("confidence", names["Confidence"], version="1")

    plugin = SimpleNamespace(
        hfcbench_register_attacks=hfcbench_register_attacks,
        hfcbench_register_heuristics=hfcbench_register_heuristics,
        hfcbench_register_analyses=hfcbench_register_analyses,
    )
    AttackContract.of(plugin, "signed-average").check()
    HeuristicContract.of(plugin, "confidence-penalty").check()
    AnalysisContract.of(plugin, "confidence").check()


@pytest.mark.parametrize("page", pages_with("yaml"), ids=label)
def test_suites_can_be_read(page):
    blocks = [block for block in fenced_blocks(page) if block.language == "yaml"]
    for block in blocks:
        SuiteSchema.model_validate({"title": "Part of a suite", **yaml.safe_load(block.text)})
