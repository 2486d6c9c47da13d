"""The archives that COCO 2017 is published in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hfcbench.errors import DataError

_SERVER = "http://images.cocodataset.org"
_ANNOTATIONS = "annotations_trainval2017"
_FOLDERS = {_ANNOTATIONS: "annotations", "train2017": "zips", "val2017": "zips"}
_MD5 = {
    _ANNOTATIONS: "f4bbac642086de4f52a3fdda2de5fa2c",
    "train2017": "cced6f7f71b7629ddf16f17bbcfab6b2",
    "val2017": "442b8da7639aecaf257c1dceb8ba8c80",
}


def is_published(split: str) -> bool:
    """Whether the archives hold this split."""
    return split in _MD5 and split != _ANNOTATIONS


def addresses(splits: Iterable[str]) -> list[str]:
    """Where the archives of these published splits are, that of the annotations first."""
    return [f"{_SERVER}/{_FOLDERS[name]}/{name}.zip" for name in (_ANNOTATIONS, *splits)]


def download(folder: Path, splits: Iterable[str]) -> None:
    """Download and unpack the archives of these published splits into ``folder``.

    One that lies there whole is not downloaded again. They are kept.

    Raises:
        DataError: an archive cannot be had, is damaged, or the disk is full.
    """
    from torchvision.datasets.utils import download_and_extract_archive

    for address in addresses(splits):
        name = address.rpartition("/")[2]
        md5 = _MD5[name.removesuffix(".zip")]
        # OSError: network and disk; RuntimeError: what torchvision makes of a damaged download.
        try:
            download_and_extract_archive(address, str(folder), filename=name, md5=md5)
        except (OSError, RuntimeError) as error:
            raise DataError(
                f"coco: {name} cannot be downloaded to {folder} and unpacked there: {error}",
                hint=f"unpack {address} in {folder} by hand",
            ) from error
