"""coco:PATH: Common Objects in Context, or one's own pictures annotated in its format."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Annotated, ClassVar, Literal

from annotated_types import MinLen

from hfcbench import hookimpl
from hfcbench.datasets.coco_annotations import Annotations, read_annotations
from hfcbench.datasets.coco_download import addresses, download, is_published
from hfcbench.datasets.coco_pictures import contents_of, read_picture
from hfcbench.datasets.files import signature
from hfcbench.detection_types import DetectionDataset, Picture
from hfcbench.errors import DataError, SpecificationError
from hfcbench.hookspecs import Register
from hfcbench.types import DataLocation, DataPath, DatasetDescription, ImageShape

_MOST_NAMED = 5


@dataclass(frozen=True)
class Coco:
    """Everyday objects of 80 kinds in photographs (Lin et al., 2014), or your own in its format.

    FOLDER/annotations/instances_SPLIT.json lists the pictures in FOLDER/SPLIT. Boxes are cut at
    the edges of their picture, and left out where nothing of them lies inside; pictures without
    objects stay. Pictures come in the order of their ids.

    Attributes:
        folder: absolute, or relative to --data-root or the working folder; one that a suite file
            names must lie below --data-root (without that, the working folder).
        test: which SPLIT to evaluate on.
        train: which SPLIT to train on, which may be the same; None leaves the training split
            empty.
        classes: names of the only categories to look for; None takes all.
    """

    folder: DataPath = "coco"
    test: str = "val2017"
    train: str | None = None
    classes: Annotated[tuple[str, ...], MinLen(1)] | None = None

    task: ClassVar[Literal["detection"]] = "detection"

    def __post_init__(self) -> None:
        for split in self._splits().values():
            if not split or "\0" in split or split == ".." or PurePath(split).name != split:
                raise SpecificationError(
                    f"dataset 'coco': {split!r} is not the name of a split",
                    hint="the folder of pictures FOLDER/SPLIT has its name, as in val2017",
                )

    def prepare(self, location: DataLocation) -> None:
        """Check that annotations and all pictures of the named splits are there, or get them.

        ``location.download`` gets the splits train2017 and val2017 that COCO publishes.
        """
        folder = self._folder(location)
        published = [name for name in self._names() if is_published(name)]
        if location.download and any(not self._is_whole(folder, name) for name in published):
            download(folder, published)
        for name in self._names():
            if not _annotation_file(folder, name).is_file():
                raise DataError(
                    f"coco: {_annotation_file(folder, name)} is missing",
                    hint=self._how_to_get_it(folder, name),
                )
            self._check_files(folder, name)

    def describe(self, location: DataLocation) -> DatasetDescription:
        """Classes are categories in the order of their ids.

        ``source`` holds the sha256 of the annotation files, and sizes and times of the pictures.
        """
        folder = self._folder(location)
        found = {name: self._annotations(folder, name) for name in self._names()}
        for name in found:
            self._check_files(folder, name)
        pictures = [picture for annotations in found.values() for picture in annotations.pictures]
        return DatasetDescription(
            classes=self._same_classes(folder, found),
            shape=ImageShape(
                3,
                max(picture.height for picture in pictures),
                max(picture.width for picture in pictures),
            ),
            sizes={"train": 0}
            | {split: len(found[name].pictures) for split, name in self._splits().items()},
            source=" ".join(
                f"{annotations.sha256} {signature(folder, _files(folder, name, annotations))}"
                for name, annotations in found.items()
            ),
            task="detection",
        )

    def pictures(self, location: DataLocation, split: str) -> Sequence[Picture]:
        """The pictures in the order of their ids.

        ``content`` is the sha256 of a picture's file: decoders of JPEG differ in a few pixels
        from version to version, and with their pixels every published result would seem to be
        another dataset's.

        Raises:
            DataError: a file cannot be read.
        """
        name = self._splits().get(split)
        if name is None:
            return []
        folder = self._folder(location)
        annotations = self._annotations(folder, name)
        files = _files(folder, name, annotations)
        return [
            Picture(
                listed.name,
                listed.height,
                listed.width,
                listed.objects,
                content,
                partial(read_picture, path, listed.height, listed.width, content),
            )
            for listed, path, content in zip(
                annotations.pictures, files, contents_of(files), strict=True
            )
        ]

    def _splits(self) -> dict[str, str]:
        splits = {} if self.train is None else {"train": self.train}
        return splits | {"test": self.test}

    def _names(self) -> list[str]:
        """The names of all splits, each once."""
        return list(dict.fromkeys(self._splits().values()))

    def _folder(self, location: DataLocation) -> Path:
        return location.find(self.folder)

    def _annotations(self, folder: Path, name: str) -> Annotations:
        chosen = None if self.classes is None else tuple(self.classes)
        return read_annotations(_annotation_file(folder, name), chosen)

    def _same_classes(self, folder: Path, found: dict[str, Annotations]) -> tuple[str, ...]:
        first, *others = found
        for other in others:
            if found[other].classes != found[first].classes:
                raise DataError(
                    f"{_annotation_file(folder, first)} and {_annotation_file(folder, other)} "
                    "do not list the same categories in the same order of ids"
                )
        return found[first].classes

    def _is_whole(self, folder: Path, name: str) -> bool:
        return _annotation_file(folder, name).is_file() and not self._missing(folder, name)

    def _missing(self, folder: Path, name: str) -> list[str]:
        """Names of the pictures that are listed and have no file."""
        annotations = self._annotations(folder, name)
        files = _files(folder, name, annotations)
        return [
            listed.name
            for listed, path in zip(annotations.pictures, files, strict=True)
            if not os.path.isfile(path)
        ]

    def _check_files(self, folder: Path, name: str) -> None:
        missing = self._missing(folder, name)
        if not missing:
            return
        named = ", ".join(missing[:_MOST_NAMED])
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        count = len(self._annotations(folder, name).pictures)
        raise DataError(
            f"coco: {len(missing)} of the {count} pictures that "
            f"{_annotation_file(folder, name)} lists are not in {folder / name}: {named}{more}",
            hint=self._how_to_get_it(folder, name),
        )

    def _how_to_get_it(self, folder: Path, name: str) -> str:
        if not is_published(name):
            return (
                "coco:FOLDER takes FOLDER/annotations/instances_SPLIT.json and the pictures that "
                "it lists in FOLDER/SPLIT"
            )
        return (
            f"repeat the command with --download, or unpack {' and '.join(addresses([name]))} "
            f"in {folder}"
        )


def _annotation_file(folder: Path, name: str) -> Path:
    return folder / "annotations" / f"instances_{name}.json"


def _files(folder: Path, name: str, annotations: Annotations) -> list[Path]:
    pictures = folder / name
    return [pictures / listed.name for listed in annotations.pictures]


@hookimpl
def hfcbench_register_datasets(register: Register[DetectionDataset]) -> None:
    register("coco", Coco, version="1", argument="folder")
