"""What a database holds, in rows for people: runs, trainings, datasets, versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from hfcbench.published_results.pages import span
from hfcbench.published_results.settings import note_on

if TYPE_CHECKING:
    from hfcbench.results.store import Store

_RUNS = """
SELECT runs.command, runs.status, runs.device, runs.device_name,
       (SELECT COUNT(*) FROM trainings WHERE trainings.run_id = runs.run_id) AS trainings,
       (SELECT COUNT(*) FROM evaluations WHERE evaluations.run_id = runs.run_id) AS evaluations,
       (SELECT COUNT(*) FROM analyses WHERE analyses.run_id = runs.run_id) AS analyses,
       (SELECT COUNT(*) FROM failures WHERE failures.run_id = runs.run_id) AS failures,
       date(runs.started_at) AS day,
       (julianday(runs.finished_at) - julianday(runs.started_at)) * 86400 AS seconds
FROM runs ORDER BY runs.started_at, runs.uuid
"""
_TRAININGS = """
SELECT datasets.name AS dataset, trainings.scale, runs.suite, trainings.model, trainings.seed,
       trainings.epochs, trainings.specification, trainings.duration_seconds, datasets.sizes,
       (SELECT COUNT(*) FROM evaluations WHERE evaluations.training_id = trainings.training_id)
           AS evaluations,
       (SELECT MIN(n) FROM evaluations WHERE evaluations.training_id = trainings.training_id)
           AS fewest,
       (SELECT MAX(n) FROM evaluations WHERE evaluations.training_id = trainings.training_id)
           AS most
FROM trainings JOIN datasets USING (dataset_id) JOIN runs USING (run_id)
ORDER BY trainings.training_id
"""
_VERSIONS = """
SELECT DISTINCT hfcbench_version AS hfcbench, git_revision AS revision, git_dirty AS dirty,
       python_version AS python, torch_version AS torch, cuda_version AS cuda,
       driver_version AS driver, platform, packages
FROM runs ORDER BY started_at
"""
_SCORES = "SELECT COUNT(*) AS scores FROM scores"


def frame_of(store: Store, sql: str) -> pd.DataFrame:
    """The answer to a question in SQL, with Python's own values in every cell."""
    columns, rows = store.query(sql)
    return pd.DataFrame(rows, columns=columns, dtype=object)


def score_count(store: Store) -> int:
    """How many scores there are."""
    return int(frame_of(store, _SCORES)["scores"].iloc[0])


def datasets_table(store: Store) -> pd.DataFrame:
    """A row per dataset."""
    rows = []
    for record in store.datasets():
        shape, sizes = record.description.shape, record.description.sizes
        rows.append(
            {
                "dataset": record.name,
                "for": record.description.task,
                "images": f"{shape.channels}x{shape.height}x{shape.width}",
                "classes": str(len(record.description.classes)),
                "train": f"{sizes.get('train', 0):,}",
                "test": f"{sizes.get('test', 0):,}",
                "fingerprint": record.fingerprint[:12],
                "what it is": note_on(record.name),
            }
        )
    return pd.DataFrame(rows)


def trainings_table(store: Store) -> pd.DataFrame:
    """A row per dataset, scale and suite, with the ranges of what its trainings were given."""
    rows = []
    frame = frame_of(store, _TRAININGS)
    for (dataset, scale, suite), part in frame.groupby(["dataset", "scale", "suite"], sort=False):
        images = [
            json.loads(specification)["samples"] or json.loads(sizes).get("train", 0)
            for specification, sizes in part[["specification", "sizes"]].to_numpy()
        ]
        seen = [int(number) for name in ("fewest", "most") for number in part[name].dropna()]
        rows.append(
            {
                "dataset": dataset,
                "scale": "full" if scale == "full" else f"{scale} (reduced)",
                "first asked for by": suite,
                "trainings": str(len(part)),
                "models": str(part["model"].nunique()),
                "seeds": str(part["seed"].nunique()),
                "epochs": span(min(part["epochs"]), max(part["epochs"])),
                "training images": span(min(images), max(images)),
                "evaluations": f"{sum(part['evaluations']):,}",
                "images of an evaluation": span(min(seen, default=0), max(seen, default=0)),
                "hours of training": f"{sum(part['duration_seconds']) / 3600:.2f}",
            }
        )
    return pd.DataFrame(rows)


def runs_table(store: Store) -> pd.DataFrame:
    """A row per run, in the order in which they were started."""
    frame = frame_of(store, _RUNS)
    return pd.DataFrame(
        {
            "run": [f"`{command}`" for command in frame["command"]],
            "day": frame["day"],
            "status": frame["status"],
            "took": [_duration(seconds) for seconds in frame["seconds"]],
            "device": [
                name or device
                for name, device in zip(frame["device_name"], frame["device"], strict=True)
            ],
            **{
                name: [str(number) for number in frame[name]]
                for name in ("trainings", "evaluations", "analyses", "failures")
            },
        }
    )


def run_commands(store: Store) -> list[str]:
    """The command of every run, in order."""
    return [str(command) for command in frame_of(store, _RUNS)["command"]]


def versions_table(store: Store) -> pd.DataFrame:
    """A row per combination of versions that runs had."""
    frame = frame_of(store, _VERSIONS)
    revision = [
        f"{str(text)[:10]}{' (changed)' if dirty else ''}" if text else ""
        for text, dirty in zip(frame["revision"], frame["dirty"], strict=True)
    ]
    packages = [
        ", ".join(f"{name} {version}" for name, version in json.loads(text).items())
        for text in frame["packages"]
    ]
    shown = {name: frame[name] for name in ("hfcbench", "python", "torch", "cuda", "driver")}
    table = pd.DataFrame({**shown, "platform": frame["platform"], "packages": packages})
    table.insert(1, "revision", revision)
    return table.dropna(axis="columns", how="all").drop_duplicates()


def _duration(seconds: Any) -> str:
    if seconds is None:
        return "not finished"
    minutes = round(float(seconds) / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
