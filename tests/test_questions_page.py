"""docs/questions.md answers its questions: every block runs, on a database of its size's shape."""

from __future__ import annotations

import re
from pathlib import Path

import made_database
import numpy as np
import pytest

import hfcbench
from hfcbench.results.database.engine import writing
from hfcbench.results.writing.predictions import pack_predictions
from hfcbench.results.writing.stored_predictions import insert_predictions
from hfcbench.types import Predictions

PAGE = Path(__file__).parents[1] / "docs" / "questions.md"


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("questions") / "results.db"
    made_database.make_database(path, 200_000)
    with hfcbench.open_store(path) as store, writing(store._engine).begin() as connection:
        evaluations = store.evaluations(
            dataset="cifar10", component="original", attack="none", defence="none", metric="top1"
        )
        ids = dict(
            connection.exec_driver_sql("select identity, evaluation_id from evaluations").all()
        )
        generator = np.random.default_rng(0)
        labels = np.arange(50) % 10
        packed = {
            ids[identity]: pack_predictions(
                Predictions(
                    labels=labels,
                    predicted=np.where(generator.random(50) < 0.7, labels, 9 - labels),
                    confidence=np.ones(50, np.float32),
                    loss=np.ones(50, np.float32),
                )
            )
            for identity in evaluations["evaluation"]
        }
        insert_predictions(connection, packed)
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
