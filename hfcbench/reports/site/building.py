"""Building the whole site: every page of it, in memory, then written at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from hfcbench.reports.site.addresses import INDEX, training_pages
from hfcbench.reports.site.extra import check_installed, plotly_script
from hfcbench.reports.site.folder import check_folder, write_folder
from hfcbench.reports.site.index_page import index_page
from hfcbench.reports.site.reading import read_overview, read_training
from hfcbench.reports.site.rendering import Renderer
from hfcbench.reports.site.training_page import training_page

if TYPE_CHECKING:
    from hfcbench.results.store import Store

_ASSETS = ("site.css", "tables.js", "charts.js")
_PLOTLY = "assets/plotly.min.js"


@dataclass(frozen=True)
class Written:
    """What was written."""

    first_page: Path
    page_count: int


def write_site(
    store: Store, out: Path, *, datasets: Collection[str] = (), force: bool = False
) -> Written:
    """Write the site of a results database into a folder.

    Args:
        datasets: only these; all of them if none are named.
        force: write into a folder with other files.

    Raises:
        UsageError: the extra ``report`` is not installed, there is no such dataset, or the folder
            is not for a report.
        StoreError: there are no finished trainings.
    """
    check_installed()
    check_folder(out, force=force)
    pages = dict(_pages(store, datasets))
    assets = {f"assets/{name}": _asset(name) for name in _ASSETS}
    write_folder(out, {**pages, **assets, _PLOTLY: plotly_script()})
    return Written(out / INDEX, len(pages))


def _pages(store: Store, datasets: Collection[str]) -> Iterator[tuple[str, bytes]]:
    overview = read_overview(store, datasets)
    pages = training_pages(overview.trainings["training"])
    renderer = Renderer(has_detection=False)
    yield INDEX, renderer.render("index.html", INDEX, page=index_page(overview, pages))
    for identity, path in pages.items():
        page = training_page(read_training(store, identity), overview, path, pages)
        yield path, renderer.render("training.html", path, page=page)


def _asset(name: str) -> bytes:
    return files("hfcbench.reports.site").joinpath("assets", name).read_bytes()
