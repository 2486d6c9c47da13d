"""The site as its readers use it, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

TABLE = 'section[data-dataset="pets"] > .ranking > .table-box > table'
VGG = "vgg11(width=16)"
COLUMN = f"""
    const heading = [...document.querySelectorAll('{TABLE} thead th')].findIndex(
        (one) => one.querySelector('span').textContent === arguments[0]);
    return [...document.querySelectorAll('{TABLE} tbody tr')]
        .filter((row) => !row.hidden)
        .map((row) => row.cells[heading].firstChild?.textContent ?? '');
"""
DRAWN = "return [...document.querySelectorAll('.chart')].every((one) => one.dataset.drawn === %r)"


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def sort_button(browser, title):
    buttons = browser.driver.find_elements(By.CSS_SELECTOR, f"{TABLE} th button")
    return next(button for button in buttons if button.text.split("\n")[0].strip() == title)


def test_every_page_loads_without_complaint(browser, site):
    found = pages(site)
    assert len(found) >= 4
    for page in found:
        browser.open(page)
        assert browser.run("return document.documentElement.dataset.ready") == "tables"
        assert browser.messages() == [], page


@pytest.mark.parametrize("scripts", [True, False])
def test_no_page_is_wider_than_a_phone(browser, site, wait, scripts):
    def width():
        return browser.command("Page.getLayoutMetrics")["cssContentSize"]["width"]

    for page in pages(site):
        browser.open(page, width=360, scripts=scripts)
        # The browser may still be about to lay out what it has read last.
        wait(lambda: width() <= 360)


def test_rows_are_in_their_ranks_and_sort_by_the_gap(browser, site):
    browser.open(site / "index.html")
    assert browser.run(COLUMN, "original")[:3] == ["0.875", "0.750", "0.750"]
    assert browser.run(COLUMN, "rank")[:3] == ["1", "2=", "2="]
    rank = sort_button(browser, "rank").find_element(By.XPATH, "..")
    assert rank.get_attribute("aria-sort") == "ascending"
    sort_button(browser, "gap").click()
    assert rank.get_attribute("aria-sort") is None
    gaps = browser.run(COLUMN, "gap")
    # Rows of a defence have no score on components, and so no gap: they stay last.
    assert gaps == ["0.500", "0.125", "−0.062", "", "", ""]
    sort_button(browser, "gap").click()
    assert browser.run(COLUMN, "gap") == ["−0.062", "0.125", "0.500", "", "", ""]
    heading = sort_button(browser, "gap").find_element(By.XPATH, "..")
    assert heading.get_attribute("aria-sort") == "ascending"


def test_sorting_with_the_keyboard_alone(browser, site):
    browser.open(site / "index.html")
    body = browser.driver.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    first = browser.driver.switch_to.active_element
    assert first.get_attribute("class") == "skip"
    first.send_keys(Keys.ENTER)
    assert browser.driver.switch_to.active_element.get_attribute("id") == "content"
    for _ in range(40):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        focused = browser.driver.switch_to.active_element
        if focused.tag_name == "button" and focused.text.startswith("original"):
            break
    outline = browser.run(
        "return getComputedStyle(document.activeElement).outlineStyle + "
        "getComputedStyle(document.activeElement).outlineWidth"
    )
    assert outline == "solid3px"
    focused.send_keys(Keys.SPACE)
    focused.send_keys(Keys.SPACE)
    assert browser.run(COLUMN, "original")[-1] == "0.875"


def test_filters_by_text_and_choice_and_their_address(browser, site, wait):
    browser.open(site / "index.html")
    search = browser.driver.find_element(By.NAME, "text")
    search.send_keys("VGG")
    assert set(browser.run(COLUMN, "model")) == {"vgg11"}
    shown = browser.driver.find_element(By.CSS_SELECTOR, ".filters output")
    assert shown.text == "2 of 7 rows"
    Select(browser.driver.find_element(By.NAME, "defence")).select_by_visible_text("none")
    assert browser.run(COLUMN, "original") == ["0.875"]
    address = browser.driver.current_url
    browser.driver.get("about:blank")
    browser.driver.get(address)
    wait(lambda: browser.run(COLUMN, "original") == ["0.875"])
    browser.driver.find_element(By.CSS_SELECTOR, ".filters button").click()
    wait(lambda: len(browser.run(COLUMN, "original")) == 6)


def test_choosing_an_attack_hides_the_others(browser, site):
    browser.open(site / "index.html")
    titles = (
        f"return [...document.querySelectorAll('{TABLE} thead th')].filter((one) => !one.hidden)"
    )
    titles += ".map((one) => one.querySelector('span').textContent)"
    assert {"robust", "fgsm@0.03", "pgd@0.03"} <= set(browser.run(titles))
    Select(browser.driver.find_element(By.NAME, "attack")).select_by_value("fgsm@0.03")
    assert "fgsm@0.03" in browser.run(titles)
    assert not {"robust", "pgd@0.03"} & set(browser.run(titles))
    row = f"document.querySelector('{TABLE} tbody tr')"
    rows = browser.run(f"return {row}.querySelectorAll(':scope > :not([hidden])').length")
    assert rows == len(browser.run(titles))


def test_a_row_leads_to_its_training_and_back(browser, site, wait):
    browser.open(site / "index.html")
    browser.driver.find_element(By.CSS_SELECTOR, f"{TABLE} tbody a").click()
    wait(lambda: "/trainings/" in browser.driver.current_url)
    wait(lambda: browser.run("return document.querySelector('h1').textContent") == VGG)
    browser.driver.find_element(By.LINK_TEXT, "Leaderboard").click()
    wait(lambda: browser.driver.current_url.endswith("/index.html"))
    assert browser.messages() == []


@pytest.mark.parametrize("dark", [False, True])
def test_charts_are_drawn_in_the_readers_theme(browser, site, wait, dark):
    (page, *_) = sorted((site / "trainings").glob("*.html"))
    browser.open(page, dark=dark)
    for chart in browser.driver.find_elements(By.CSS_SELECTOR, ".chart"):
        browser.run("arguments[0].scrollIntoView()", chart)
    wait(lambda: browser.run(DRAWN % ("dark" if dark else "light")))
    drawn = browser.run("return document.querySelectorAll('.chart .main-svg').length")
    assert drawn >= 3
    other = {"name": "prefers-color-scheme", "value": "light" if dark else "dark"}
    browser.command("Emulation.setEmulatedMedia", features=[other])
    wait(lambda: browser.run(DRAWN % ("light" if dark else "dark")))
    assert browser.messages() == []


def test_tables_need_no_scripts(browser, site):
    browser.open(site / "index.html", scripts=False)
    rows = browser.driver.find_elements(By.CSS_SELECTOR, f"{TABLE} tbody tr")
    assert [row.is_displayed() for row in rows] == [True] * 6
    assert not browser.driver.find_element(By.CSS_SELECTOR, ".filters").is_displayed()
    assert browser.driver.find_elements(By.CSS_SELECTOR, "th button") == []
    summary = browser.driver.find_element(By.CSS_SELECTOR, "details summary")
    summary.click()
    cells = browser.driver.find_elements(By.CSS_SELECTOR, "details[open] tbody th")
    assert cells[0].is_displayed()


def test_tables_say_what_their_rows_and_columns_are(browser, site):
    for page in pages(site):
        browser.open(page)
        wrong = browser.run(
            "return [...document.querySelectorAll('table')].filter((table) =>"
            " !table.caption.textContent || !table.tHead.querySelector('th[scope=col]') ||"
            " [...table.tBodies[0].rows].some((row) =>"
            " row.querySelectorAll('th[scope=row]').length !== 1)).map((table) => table.id)"
        )
        assert wrong == [], page
