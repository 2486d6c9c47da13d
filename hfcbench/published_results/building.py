"""All pages and pictures of a database, written to a folder or held against one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image, UnidentifiedImageError

from hfcbench.cli.asked import read_studies
from hfcbench.errors import UsageError
from hfcbench.published_results.claims_page import claims_page
from hfcbench.published_results.detection_page import detection_page, detection_pictures
from hfcbench.published_results.index_page import index_page
from hfcbench.published_results.leaderboard_page import leaderboard_page, leaderboard_pictures
from hfcbench.published_results.pages import Page, Picture
from hfcbench.published_results.table_pages import table1_page, table2_page
from hfcbench.registry import Registry
from hfcbench.reports.figures.drawing import DOTS_PER_INCH, house_style
from hfcbench.results.store import Store

_MARK = "hfcbench-numbers"
_ENDINGS = (".md", ".png")


def build(store: Store, registry: Registry) -> list[Page | Picture]:
    """Every file, from the database alone; equal databases give equal ones."""
    studies = read_studies(store, registry)
    return [
        index_page(store, studies),
        leaderboard_page(store),
        claims_page(store, studies),
        table1_page(store, studies),
        table2_page(store, studies),
        detection_page(store, studies),
        *leaderboard_pictures(store),
        *detection_pictures(studies),
    ]


def write(outputs: Sequence[Page | Picture], folder: Path) -> list[Path]:
    """Write the files that are not there as they should be; returns those.

    Raises:
        UsageError: the folder cannot be written.
    """
    changed = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for output in outputs:
            path = folder / output.file
            if _is_there(output, path):
                continue
            if isinstance(output, Page):
                path.write_text(output.text, encoding="utf-8", newline="\n")
            else:
                _draw(output, path)
            changed.append(path)
        for path in _strangers(outputs, folder):
            path.unlink()
            changed.append(path)
    except OSError as error:
        raise UsageError(f"'{folder}' cannot be written: {error.strerror or error}") from error
    return changed


def drifted(outputs: Sequence[Page | Picture], folder: Path) -> list[str]:
    """Files that are missing, differ, or are no longer made; one sentence each."""
    found = []
    for output in outputs:
        path = folder / output.file
        if not path.is_file():
            found.append(f"{path} is missing")
        elif not _is_there(output, path):
            found.append(f"{path} is not what the database gives")
    found += [f"{path} is not made from the database" for path in _strangers(outputs, folder)]
    return found


def _is_there(output: Page | Picture, path: Path) -> bool:
    if not path.is_file():
        return False
    if isinstance(output, Page):
        return path.read_bytes() == output.text.encode()
    try:
        with Image.open(path) as image:
            return image.info.get(_MARK) == _digest(output)
    except (UnidentifiedImageError, OSError):
        return False


def _strangers(outputs: Sequence[Page | Picture], folder: Path) -> Iterator[Path]:
    names = {output.file for output in outputs}
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return (path for path in files if path.suffix in _ENDINGS and path.name not in names)


def _draw(picture: Picture, path: Path) -> None:
    figure = picture.draw()
    with house_style():
        FigureCanvasAgg(figure)
        metadata = {"Software": None, _MARK: _digest(picture)}
        figure.savefig(path, dpi=DOTS_PER_INCH, metadata=metadata)


def _digest(picture: Picture) -> str:
    return hashlib.sha256(f"{picture.file}\n{picture.numbers}".encode()).hexdigest()
