"""docs/questions.md answers its questions: every block runs, on a database of its size's shape."""

from __future__ import annotations

import re
from pathlib import Path

import made_database
import pytest
from build_answers import add_answers

PAGE = Path(__file__).parents[1] / "docs" / "questions.md"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("questions") / "results.db"
    made_database.make_database(path, 200_000)
    add_answers(path)
    return path


def test_every_block_runs_and_answers(database, monkeypatch):
    monkeypatch.chdir(database.parent)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 12
    names: dict = {}
    for number, block in enumerate(blocks):
        names.pop("answer", None)
        exec(compile(block, f"{PAGE.name} block {number}", "exec"), names)
        if number:
            answer = names["answer"]
            assert len(answer) if hasattr(answer, "__len__") else answer.training
    names["store"].close()


def test_there_are_ten_questions():
    headings = re.findall(r"^## (\d+)\. .*\?$", PAGE.read_text(encoding="utf-8"), re.M)
    assert headings == [str(number) for number in range(1, 11)]
