"""coco: how its published archives get to their place, without a network."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from hfcbench.datasets import coco_download
from hfcbench.datasets.coco import Coco
from hfcbench.errors import DataError
from hfcbench.types import DataLocation


def packed(source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put small archives in the layout of the published ones into ``folder``."""
    folder.mkdir(parents=True)
    parts = {"annotations_trainval2017": "annotations", "val2017": "val2017"}
    md5 = {}
    for name, part in parts.items():
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            for path in sorted((source / part).rglob("*")):
                archive.write(path, path.relative_to(source))
        md5[name] = hashlib.md5((folder / f"{name}.zip").read_bytes()).hexdigest()
    monkeypatch.setattr(coco_download, "_MD5", md5)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    monkeypatch.setattr(coco_download, "_SERVER", "http://127.0.0.1:9")


def test_archives_that_lie_there_are_unpacked(tmp_path, coco_folder, monkeypatch):
    root = tmp_path / "root"
    packed(coco_folder, root / "coco", monkeypatch)
    dataset = Coco(train="val2017")
    with pytest.raises(DataError, match="is missing"):
        dataset.prepare(DataLocation(root))
    location = DataLocation(root, download=True)
    dataset.prepare(location)
    assert [p.name for p in dataset.pictures(location, "test")] == ["a.png", "deep/b.png", "c.png"]


def test_pictures_that_are_missing_are_unpacked_again(tmp_path, coco_folder, monkeypatch):
    root = tmp_path / "root"
    packed(coco_folder, root / "coco", monkeypatch)
    location = DataLocation(root, download=True)
    Coco().prepare(location)
    (root / "coco" / "val2017" / "a.png").unlink()
    Coco().prepare(location)
    assert (root / "coco" / "val2017" / "a.png").is_file()


def test_what_is_whole_is_not_downloaded(coco_folder):
    before = sorted(path.stat().st_mtime_ns for path in coco_folder.rglob("*"))
    # There is no network here: a download would fail.
    Coco(str(coco_folder)).prepare(DataLocation(download=True))
    assert sorted(path.stat().st_mtime_ns for path in coco_folder.rglob("*")) == before


def test_a_failed_download_is_one_message(tmp_path):
    with pytest.raises(DataError, match=r"annotations_trainval2017\.zip cannot be downloaded") as e:
        Coco().prepare(DataLocation(tmp_path, download=True))
    assert "http://127.0.0.1:9/annotations/annotations_trainval2017.zip" in str(e.value.hint)


def test_missing_files_come_with_what_gets_them(tmp_path):
    with pytest.raises(DataError) as raised:
        Coco().prepare(DataLocation(tmp_path))
    hint = str(raised.value.hint)
    assert "--download" in hint
    assert "/annotations/annotations_trainval2017.zip" in hint
    assert "/zips/val2017.zip" in hint
    assert str(tmp_path / "coco") in hint


def test_a_split_of_ones_own_cannot_be_downloaded(tmp_path):
    with pytest.raises(DataError, match=r"instances_mine\.json is missing") as raised:
        Coco(test="mine").prepare(DataLocation(tmp_path, download=True))
    assert "FOLDER/annotations/instances_SPLIT.json" in str(raised.value.hint)
