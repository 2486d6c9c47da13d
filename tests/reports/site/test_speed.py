"""A leaderboard of a thousand rows stays quick."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_database import METRICS, conditions, make_database

from hfcbench.reports.site.addresses import INDEX, training_pages
from hfcbench.reports.site.extra import static_files
from hfcbench.reports.site.folder import write_folder
from hfcbench.reports.site.index_page import index_page
from hfcbench.reports.site.reading import read_overview
from hfcbench.reports.site.rendering import Renderer
from hfcbench.results.opening import open_store

TRAININGS, ROWS = 200, 1000
# Five times and more what was seen on two cores that others used as well: 0.4 s to load, 0.15 s to
# sort and 0.11 s to filter, until it is on the screen.
LIMIT_SECONDS = {"load": 2.0, "sort": 1.0, "filter": 1.0}
UNTIL_SHOWN = """
const [selector, text, done] = arguments;
const start = performance.now();
const element = document.querySelector(selector);
if (element.tagName === "INPUT") {
  element.value = text;
  element.dispatchEvent(new Event("input", { bubbles: true }));
} else {
  element.click();
}
requestAnimationFrame(() => requestAnimationFrame(() => done((performance.now() - start) / 1000)));
"""
SHOWN = "return document.querySelectorAll('.ranking > .table-box tbody tr:not([hidden])').length"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first page of a database with a thousand rows in one ranking."""
    folder = tmp_path_factory.mktemp("thousand")
    make_database(folder / "results.db", TRAININGS * len(conditions()) * len(METRICS))
    with open_store(folder / "results.db", read_only=True) as store:
        overview = read_overview(store)
    content = index_page(overview, training_pages(overview.trainings["training"]))
    (one,) = content.datasets
    assert [len(ranking.table.rows) for ranking in one.rankings] == [ROWS]
    html = Renderer(has_detection=False).render("index.html", INDEX, page=content)
    write_folder(folder / "site", {INDEX: html, **static_files()})
    return folder / "site" / INDEX


@pytest.mark.slow
def test_a_thousand_rows_load_sort_and_filter_quickly(page, browser, wait):
    browser.open(page)
    load = browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000
    assert 0 < load < LIMIT_SECONDS["load"]
    # What is not timed is over: the chart in view has been drawn.
    wait(lambda: browser.run("return document.readyState") == "complete")

    def seconds(selector, text=""):
        return browser.driver.execute_async_script(UNTIL_SHOWN, selector, text)

    sort = min(seconds("th.headline button") for _ in range(3))
    narrow = min(seconds("input[type=search]", text) for text in ("mixup", "vgg", "mixup alexnet"))
    assert sort < LIMIT_SECONDS["sort"]
    assert narrow < LIMIT_SECONDS["filter"]


def test_rows_beyond_a_hundred_are_folded_until_asked_for(page, browser):
    browser.open(page)
    assert browser.run(SHOWN) == 100
    more = browser.run("return document.querySelector('.ranking > .more')")
    assert more.text == "Show 900 more rows"
    search = browser.driver.find_element("name", "text")
    search.send_keys("mixup")
    rows = browser.driver.find_element("css selector", ".filters output").text
    # Three of the ten combinations of heuristics name it.
    count = int(rows.split()[0])
    assert rows == f"{count} of {ROWS} rows"
    assert count == 3 * ROWS // 10
    assert more.text == f"Show {count - 100} more rows"
    search.clear()
    search.send_keys(" ")
    more.click()
    assert browser.run(SHOWN) == ROWS
    assert not more.is_displayed()


def test_without_scripts_all_rows_are_there(page, browser):
    browser.open(page, scripts=False)
    rows = browser.driver.find_elements("css selector", ".ranking > .table-box tbody tr")
    assert len(rows) == ROWS
    assert rows[-1].is_displayed()
