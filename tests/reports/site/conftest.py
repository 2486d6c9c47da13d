"""A small results database, its site, and a browser to look at it with."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import build_records as build
import pytest

from hfcbench.attack_types import Search
from hfcbench.plugins import load_plugins
from hfcbench.reliability_checks import Check
from hfcbench.reports.site.building import write_site
from hfcbench.results.opening import open_store
from hfcbench.results.records import ScoreRecord
from hfcbench.results.store import Store

_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_LOADED = "return document.readyState === 'complete' && location.href === arguments[0]"
COMPONENTS = ("lfc@4", "hfc@4", "lfc@8", "hfc@8")


def add_training(
    store: Store, run_id: int, original: float, *, loss: float = 0.125, **changes: Any
) -> Any:
    """A training whose LFCs score less than the original by ``loss``, and HFCs a half."""
    training = build.training(**changes)
    store.add_training(training, run_id)
    records = [build.evaluation(training, value=original)]
    for component in COMPONENTS:
        value = original - loss if component.startswith("lfc") else original / 2
        records.append(build.evaluation(training, component, value=value))
    sound = (Check("vanishing-gradients", 0.0, 0.1, 50),)
    for attack, share in (("fgsm", 0.5), ("pgd(steps=5)", 0.25)):
        records += [
            build.evaluation(
                training,
                value=original * share * (1 - epsilon),
                attack=attack,
                epsilon=epsilon,
                n=50,
                search=Search("worst-case"),
                attack_norm="linf",
                checks=sound,
            )
            for epsilon in (0.03, 0.06)
        ]
    defended = build.evaluation(training, value=original / 2, defence="low-pass(radius=8)")
    store.add_evaluations([*records, defended], run_id)
    return training


def add_everything(store: Store) -> None:
    """Three trainings on one dataset, one on another, and a detector."""
    store.add_dataset(build.dataset())
    run_id = store.begin_run(build.run())
    add_training(store, run_id, 0.75, model="resnet18")
    add_training(store, run_id, 0.875, model="vgg11(width=16)", heuristics="mixup", loss=0.5)
    add_training(store, run_id, 0.75, model="resnet18", seed=1, loss=-0.0625)
    add_detector(store, run_id)
    store.finish_run(run_id, "finished")


def add_detector(store: Store, run_id: int) -> None:
    """A detector that scores 0.5 on originals, and less on components of two radii."""
    store.add_dataset(build.detection_dataset())
    detector = build.detector()
    store.add_training(detector, run_id)
    scored = {"original": 0.5, "lfc@4": 0.25, "hfc@4": 0.25, "lfc@8": 0.375, "hfc@8": 0.125}
    records = [
        build.detected(detector, component, value=value, pictures=(value, math.nan, 0.25, 1.0))
        for component, value in scored.items()
    ]
    store.add_evaluations([replace(one, scores=_twice(one.scores[0])) for one in records], run_id)


def _twice(score: ScoreRecord) -> tuple[ScoreRecord, ScoreRecord]:
    """The score, and as another metric."""
    return score, replace(score, metric="map-50")


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("database") / "results.db"
    with open_store(path, create=True) as store:
        add_everything(store)
    return path


@pytest.fixture(scope="session")
def site(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the small database."""
    out = tmp_path_factory.mktemp("site")
    with open_store(database, read_only=True) as store:
        write_site(store, load_plugins().registry, out)
    return out


@pytest.fixture(scope="session")
def any_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium, one for all tests; without one they skip."""
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        pytest.skip("no browser: install chromium and chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    yield driver
    driver.quit()


class Browser:
    """A browser with a page of a site open."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(
        self, path: Path, *, width: int = 1200, dark: bool = False, scripts: bool = True
    ) -> None:
        """Open a page as a file, in a window of this width, with or without its scripts."""
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[theme])
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.command("Emulation.setDeviceMetricsOverride", **size)
        self.command("Emulation.setScriptExecutionDisabled", value=not scripts)
        address = path.as_uri()
        self.driver.get("about:blank")
        self.driver.get(address)
        self.wait(lambda: self.run(_LOADED, address))

    def wait(self, holds: Callable[[], Any]) -> Any:
        """Wait until something holds, and return it."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 20).until(lambda _: holds())

    def command(self, name: str, **arguments: Any) -> Any:
        """A command of Chromium's own protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def run(self, script: str, *arguments: Any) -> Any:
        """The value that a script returns in the page."""
        return self.driver.execute_script(script, *arguments)

    def messages(self) -> list[str]:
        """What the page complained about since this was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture
def browser(any_browser: Any) -> Iterator[Browser]:
    one = Browser(any_browser)
    one.messages()
    yield one
    one.command("Emulation.setScriptExecutionDisabled", value=False)


@pytest.fixture
def wait(browser: Browser) -> Callable[[Callable[[], Any]], Any]:
    """Wait until something holds, and return it."""
    return browser.wait
