"""Building the whole site: every page of it, in memory, then written at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hfcbench.reports.site.addresses import (
    CLAIMS,
    DATASETS,
    DETECTION,
    INDEX,
    dataset_page,
    training_pages,
)
from hfcbench.reports.site.album import Album
from hfcbench.reports.site.checked_claims import Override, check_claims
from hfcbench.reports.site.claims_page import ClaimsPage, claims_page
from hfcbench.reports.site.dataset_page import dataset_list, page_of_dataset
from hfcbench.reports.site.detection_page import detection_page, read_detection
from hfcbench.reports.site.detection_pictures import detection_pictures
from hfcbench.reports.site.elements import Picture
from hfcbench.reports.site.extra import check_installed, static_files
from hfcbench.reports.site.folder import check_folder, write_folder
from hfcbench.reports.site.index_page import index_page
from hfcbench.reports.site.reading import Overview, TrainingResults, read_overview, read_training
from hfcbench.reports.site.rendering import Renderer
from hfcbench.reports.site.stored_pictures import stored_pictures
from hfcbench.reports.site.training_page import training_page

if TYPE_CHECKING:
    from hfcbench.registry import Registry
    from hfcbench.reports.study import Study
    from hfcbench.results.store import Store


@dataclass(frozen=True)
class Written:
    """What was written."""

    first_page: Path
    page_count: int


def write_site(
    store: Store,
    registry: Registry,
    out: Path,
    *,
    datasets: Collection[str] = (),
    overrides: Sequence[Override] = (),
    asked: Iterable[Study] = (),
    force: bool = False,
    pictures: bool = True,
) -> Written:
    """Write the site of a results database into a folder.

    Args:
        registry: of the plugins that suites of the paper's claims need.
        datasets: only these; all of them if none are named.
        overrides: what the paper's suites were run with, for the page of claims.
        asked: other studies of the paper's suites, for that page.
        force: write into a folder with other files.
        pictures: show kernels and example images that the database holds.

    Raises:
        UsageError: the extra ``report`` is not installed, there is no such dataset, or the folder
            is not for a report.
        StoreError: there are no finished trainings.
    """
    check_installed()
    check_folder(out, force=force)
    album = Album() if pictures else None
    overview = read_overview(store, datasets)
    claims = claims_page(check_claims(store, registry, overview, overrides, asked))
    pages = dict(_pages(store, registry, overview, claims, album))
    shown = {} if album is None else album.files
    write_folder(out, {**pages, **shown, **static_files()})
    return Written(out / INDEX, len(pages))


def _pages(
    store: Store,
    registry: Registry,
    overview: Overview,
    claims: ClaimsPage,
    album: Album | None,
) -> Iterator[tuple[str, bytes]]:
    pages = training_pages(overview.trainings["training"])
    detectors = read_detection(store, overview)
    renderer = Renderer(has_detection=bool(detectors))
    yield INDEX, renderer.render("index.html", INDEX, page=index_page(overview, pages))
    yield DATASETS, renderer.render("datasets.html", DATASETS, page=dataset_list(overview))
    for record in overview.datasets:
        path = dataset_page(record)
        page = page_of_dataset(overview, record, pages)
        yield path, renderer.render("dataset.html", path, page=page)
    if detectors:
        drawn = [
            None
            if album is None
            else detection_pictures(store, registry, one.dataset.name, album, place)
            for place, one in enumerate(detectors)
        ]
        found = detection_page(detectors, overview, pages, drawn)
        yield DETECTION, renderer.render("detection.html", DETECTION, page=found)
    yield CLAIMS, renderer.render("claims.html", CLAIMS, page=claims)
    for identity, path in pages.items():
        results = read_training(store, identity)
        pictures = None if album is None else _pictures(results, overview, album, path)
        training = training_page(results, overview, path, pages, pictures)
        yield path, renderer.render("training.html", path, page=training)


def _pictures(
    results: TrainingResults, overview: Overview, album: Album, page: str
) -> list[Picture]:
    dataset = results.provenance.dataset
    known = {(one.name, one.fingerprint): one.description.classes for one in overview.datasets}
    classes = known[str(dataset["name"]), str(dataset["fingerprint"])]
    return stored_pictures(results, classes, album, page)
