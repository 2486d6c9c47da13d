"""What a node checks before it works, and what it sends."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from ray_stand_ins import made_evaluation, made_tasks, made_training

from hfcbench import hookimpl
from hfcbench.detection_types import Detections, PictureSet
from hfcbench.errors import DataError, NodeError, PluginError, SpecificationError
from hfcbench.plugins import load_plugins
from hfcbench.references import parse_label
from hfcbench.registry import Origin
from hfcbench.results.records import CHECKPOINT, ArtifactRecord
from hfcbench.runner.executor import Place
from hfcbench.runner.tasks import Outcome
from hfcbench.types import DataLocation

pytest.importorskip("ray", reason="Ray is not installed")

from hfcbench_ray import plugin
from hfcbench_ray.blueprints import TaskWorkerBlueprint, sendable
from hfcbench_ray.checkpoints import ThroughObjectStore, token_in
from hfcbench_ray.cluster import Need, RayNode
from hfcbench_ray.executor import RayExecutor
from hfcbench_ray.versions import Versions


@pytest.fixture(scope="module")
def plugins():
    return load_plugins()


@pytest.fixture
def blueprint(plugins, tmp_path):
    return TaskWorkerBlueprint(
        Versions.here(plugins.registry),
        DataLocation(),
        tmp_path / "cache",
        "cpu",
        1,
        tmp_path,
        artifacts=tmp_path,
    )


def test_equal_software_has_no_differences(plugins):
    assert Versions.here(plugins.registry).differences(plugins) == []


def test_each_difference_is_named(plugins):
    versions = Versions.here(plugins.registry)
    extra = Origin("blur", "hfcbench-blur", "2.0")
    known = next(origin for origin in versions.plugins if origin.plugin == "metrics.top1")
    driver = Versions(
        (("hfcbench", "99.0"), versions.packages[1]),
        versions.plugins - {known} | {extra},
    )
    here = versions.packages[0][1]
    assert driver.differences(plugins) == [
        f"hfcbench {here} instead of 99.0",
        "plugin blur (hfcbench-blur 2.0) is missing",
        f"plugin metrics.top1 (hfcbench {here}) is there only",
    ]


def test_a_node_with_other_software_refuses(blueprint):
    other = replace(blueprint.versions, packages=(("hfcbench", "99.0"), ("torch", "1.0")))
    with pytest.raises(PluginError, match=r"other software .*instead of 99\.0; torch"):
        replace(blueprint, versions=other).build()


@pytest.mark.slow
def test_a_plugin_that_nodes_lack_stops_the_run_before_it_begins(cluster, run):
    @hookimpl
    def hfcbench_register_metrics(register):
        register("mine", lambda: None, version="1")

    mine = SimpleNamespace(hfcbench_register_metrics=hfcbench_register_metrics)
    with pytest.raises(PluginError, match=r"plugin mine \(given directly -\) is missing"):
        run("ray", f"ray(address={cluster.address})", mine=mine)


def test_a_folder_that_is_not_shared_is_an_error(blueprint, tmp_path):
    with token_in(tmp_path / "driver") as token:
        (tmp_path / "node").mkdir()
        replace(blueprint, artifacts=tmp_path / "driver", token=token).build()
        with pytest.raises(DataError, match="does not share the folder"):
            replace(blueprint, artifacts=tmp_path / "node", token=token).build()
        assert [path.name for path in (tmp_path / "driver").iterdir()] == [token]
    assert list((tmp_path / "driver").iterdir()) == []


def test_files_that_were_damaged_on_the_way_are_not_kept(tmp_path):
    (task, _) = made_tasks(1)
    content = b"weights"
    sha256 = hashlib.sha256(content).hexdigest()
    record = replace(
        made_training(task.specification),
        checkpoint=ArtifactRecord(CHECKPOINT, "ab/c.safetensors", sha256, len(content)),
    )
    store = ThroughObjectStore(tmp_path)
    with pytest.raises(NodeError, match="damaged on its way"):
        store.keep(record, {"ab/c.safetensors": b"weighty"})
    assert list(tmp_path.iterdir()) == []
    store.keep(record, {"ab/c.safetensors": content})
    assert (tmp_path / "ab" / "c.safetensors").read_bytes() == content


def test_what_metrics_remember_of_detections_is_not_sent():
    none = np.zeros(0, dtype=np.float32)
    counts = np.zeros(1, dtype=np.int64)
    boxes = np.zeros((0, 4), dtype=np.float32)
    pictures = PictureSet(
        *(("a",), counts + 8, counts + 8, counts, boxes, none.astype(np.int64)),
        *(none, none.astype(bool), ("disc",)),
    )
    found = Detections(pictures, counts, boxes, none, none.astype(np.int64), {"matches": object()})
    (_, task) = made_tasks(1)
    record = replace(made_evaluation(task.evaluations[0]), predictions=found)
    (sent,) = sendable(Outcome(evaluations=[record])).evaluations
    assert sent.predictions.cache == {}
    assert sent.predictions.pictures is pictures
    assert found.cache  # the original keeps it


@pytest.mark.parametrize(
    ("cpus", "gpus", "need", "room"),
    [
        (8, 0, Need(1, 0), 8),
        (8, 0, Need(1, 0.25), 0),
        (8, 1, Need(1, 0.25), 4),
        (2, 4, Need(1, 0.1), 2),
    ],
)
def test_room_is_what_the_scarcer_resource_allows(cpus, gpus, need, room):
    assert RayNode("id", "10.0.0.1", cpus, gpus).room(need) == room


def test_runs_say_what_tasks_compute_on():
    assert RayExecutor().place("cpu") == Place("cpu", "Ray cluster, 1 thread for each task")
    # The driving process may have no GPU itself.
    assert RayExecutor(gpus=0.25, cpus=4).place("cpu") == Place(
        "cuda", "Ray cluster, 0.25 GPU, 4 threads for each task"
    )
    assert RayExecutor().place("cuda").name == "Ray cluster, 1 GPU, 1 thread for each task"


def test_parameters_are_read_and_checked():
    plugins = load_plugins({"ray": plugin}, installed=())
    name, parameters = parse_label(
        "ray(address=10.0.0.1:6379, gpus=0.25, checkpoints=object-store)"
    )
    made = plugins.registry.create(plugins.registry.resolve("executor", name, parameters))
    assert (made.address, made.cpus, made.gpus, made.retries) == ("10.0.0.1:6379", 1, 0.25, 2)
    with pytest.raises(SpecificationError, match="checkpoints"):
        plugins.registry.resolve("executor", "ray", {"checkpoints": "sent"})
    with pytest.raises(SpecificationError, match="no address"):
        plugins.registry.create(
            plugins.registry.resolve("executor", "ray", {"address": "ray://10.0.0.1:10001"})
        )
