"""The documentation as a site: it builds strictly, and asks the network for nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What a browser fetches by itself, unlike what a reader may click on.
FETCHED = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "object": "data",
    "embed": "src",
}


def build(folder: Path, site: Path) -> subprocess.CompletedProcess:
    """Build the site of the pages below ``folder`` as `make docs` does, into ``site``."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=folder,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("material", reason="mkdocs-material builds the site")
    folder = tmp_path_factory.mktemp("documentation") / "site"
    answer = build(ROOT, folder)
    assert answer.returncode == 0, answer.stderr
    return folder


class Fetches(HTMLParser):
    """Addresses that a page makes a browser fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag in FETCHED and values.get("rel") != "canonical":
            self.found.append(values.get(FETCHED[tag]) or "")


def remote(addresses: list[str]) -> list[str]:
    return [address for address in addresses if re.match(r"(https?:)?//", address)]


def test_no_page_fetches_anything_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        fetched = Fetches(page.read_text(encoding="utf-8")).found
        assert len(fetched) > 2, page
        assert not remote(fetched), page


def test_no_style_fetches_anything_from_elsewhere(site):
    styles = list(site.rglob("*.css"))
    assert styles
    for style in styles:
        text = style.read_text(encoding="utf-8")
        addresses = re.findall(r"(?:url\(|@import\s+)['\"]?([^'\")\s]+)", text)
        assert not remote(addresses), style


def test_what_is_fetched_is_part_of_the_site(site):
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue  # It is served for any address, so its own are absolute.
        for address in Fetches(page.read_text(encoding="utf-8")).found:
            if address and not address.startswith("data:"):
                assert (page.parent / address.partition("?")[0]).exists(), f"{page}: {address}"


def test_the_plugins_readmes_are_pages(site):
    readmes = list(ROOT.glob("plugins/*/README.md"))
    assert readmes
    for readme in readmes:
        assert (site / "plugins" / f"{readme.parent.name}.html").is_file()


def test_the_search_answers_in_a_page_that_was_opened_as_a_file(site, tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no Chromium on this machine")
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    answer = subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", *quiet),
            *(f"--user-data-dir={tmp_path}", "--virtual-time-budget=10000", "--dump-dom"),
            f"{(site / 'index.html').as_uri()}?q=non-local+means",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    results = re.findall(r'class="md-search-result__link"[^>]*href="([^"]+)"', answer.stdout)
    results += re.findall(r'href="([^"]+)"[^>]*class="md-search-result__link"', answer.stdout)
    assert any("defences.html" in address for address in results), answer.stderr


def test_a_page_that_the_navigation_lacks_fails_the_build(tmp_path):
    pytest.importorskip("material", reason="mkdocs-material builds the site")
    for name in ("docs", "plugins"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    (tmp_path / "docs" / "forgotten.md").write_text("# Forgotten\n", encoding="utf-8")
    answer = build(tmp_path, tmp_path / "site")
    assert answer.returncode != 0
    assert "forgotten.md" in answer.stderr
