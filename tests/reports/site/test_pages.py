"""What pages show, against what was put into the database by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

import build_records as build
import pytest

from hfcbench.attack_types import Search
from hfcbench.plugins import load_plugins
from hfcbench.reports.site.addresses import dataset_page, from_page, training_pages
from hfcbench.reports.site.building import write_site
from hfcbench.reports.site.checked_claims import CheckedClaims
from hfcbench.reports.site.claims_page import claims_page
from hfcbench.reports.site.dataset_page import dataset_list, page_of_dataset
from hfcbench.reports.site.detection_page import detection_page, read_detection
from hfcbench.reports.site.elements import Picture
from hfcbench.reports.site.index_page import index_page
from hfcbench.reports.site.reading import read_overview, read_training
from hfcbench.reports.site.rendering import Renderer
from hfcbench.reports.site.robust_charts import robust_charts
from hfcbench.reports.site.training_page import training_page
from hfcbench.reports.site.wording import bytes_text, decimals, duration_text, label_parts
from hfcbench.results.opening import open_store


@pytest.fixture(scope="module")
def store(database):
    with open_store(database, read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def overview(store):
    return read_overview(store)


@pytest.fixture(scope="module")
def pages(overview):
    return training_pages(overview.trainings["training"])


@pytest.fixture(scope="module")
def index(overview, pages):
    return index_page(overview, pages)


def column(table, title):
    (position,) = [place for place, one in enumerate(table.columns) if one.title == title]
    return [row.cells[position] for row in table.rows]


def test_the_first_page_has_a_table_per_dataset(index):
    assert [one.title for one in index.datasets] == ["pets", "street"]
    (ranking,) = index.datasets[0].rankings
    titles = [one.title for one in ranking.table.columns]
    assert titles[:6] == ["rank", "model", "heuristics", "defence", "seed", "gap"]
    assert titles[6:] == ["original", "lfc@4", "hfc@4", "robust", "fgsm@0.03", "pgd@0.03"]


def test_scores_have_their_intervals_and_bars(index):
    table = index.datasets[0].rankings[0].table
    first = column(table, "original")[0]
    # The records' intervals reach 0.1 to both sides of 0.875.
    assert (first.text, first.note, first.order) == ("0.875", "[0.775, 0.975]", 0.875)
    assert first.share == 0.875
    assert first.interval == pytest.approx((0.775, 0.975))
    # 0.875 x 0.25 x (1 - 0.03) under PGD, the worse of the two attacks.
    assert column(table, "robust")[0].order == pytest.approx(0.875 * 0.25 * 0.97)
    assert column(table, "robust")[0].note == "[0.112, 0.312]"


def test_the_gap_is_the_original_minus_the_low_frequencies(index):
    table = index.datasets[0].rankings[0].table
    assert [cell.order for cell in column(table, "gap")] == [0.5, 0.125, -0.0625, None, None, None]
    assert [cell.text for cell in column(table, "gap")][:3] == ["0.500", "0.125", "−0.062"]
    # Bars are shares of the largest gap.
    assert [cell.share for cell in column(table, "gap")][:3] == [1, 0.25, 0.125]
    assert index.facts[0].text == "0.500"
    assert "vgg11(width=16), mixup on pets" in index.facts[0].name


def test_equal_scores_share_a_rank(index):
    ranks = column(index.datasets[0].rankings[0].table, "rank")
    assert [cell.text for cell in ranks] == ["1", "2=", "2=", "4", "5=", "5="]


def test_filters_offer_what_there_is(index):
    values = {choice.name: choice.values for choice in index.choices}
    assert values["dataset"] == ("pets", "street")
    assert values["model"] == ("resnet18", "retinanet", "vgg11(width=16)")
    assert values["heuristic"] == ("mixup", "vanilla")
    assert values["defence"] == ("low-pass(radius=8)", "none")
    assert values["attack"] == ("robust", "fgsm@0.03", "pgd(steps=5)@0.03")


def test_the_chart_of_a_ranking_has_its_points(index):
    chart = index.datasets[0].rankings[0].chart
    low, high = chart.series
    assert (low.name, high.name) == ("lfc@4", "hfc@4")
    assert low.x[:3] == (0.875, 0.75, 0.75)
    assert low.y[:3] == (0.375, 0.625, 0.8125)
    assert high.y[:3] == (0.4375, 0.375, 0.375)
    assert [cell.text for cell in column(chart.table, "lfc@4")][:3] == ["0.375", "0.625", "0.812"]


def page_of(store, overview, pages, model):
    rows = overview.trainings[overview.trainings["model"] == model]
    identity = rows["training"].iloc[0]
    results = read_training(store, identity)
    return identity, training_page(results, overview, pages[identity], pages)


def test_the_page_of_a_training(store, overview, pages):
    identity, page = page_of(store, overview, pages, "vgg11(width=16)")
    assert (page.title, page.subtitle) == ("vgg11(width=16)", "mixup, seed 0, scale full")
    tiles = {fact.name: fact.text for fact in page.tiles}
    assert tiles["gap: original − lfc@4"] == "0.500"
    assert tiles["robust: worst attack"] == "0.212"
    (table,) = page.rankings
    # Ranks are those among all rows, not among its own.
    assert [cell.text for cell in column(table, "rank")] == ["1", "4"]
    charts = {chart.name: chart for chart in page.charts}
    low, high, original = charts["sweep-0"].series
    assert (low.x, low.y, low.low) == ((4.0, 8.0), (0.375, 0.375), (0.275, 0.275))
    assert (high.name, high.y) == ("hfc", (0.4375, 0.4375))
    assert (original.x, original.y) == ((4.0, 8.0), (0.875, 0.875))
    fgsm, pgd = charts["robust-0"].series
    assert (fgsm.name, fgsm.x) == ("fgsm", (0.03, 0.06))
    assert fgsm.y == pytest.approx((0.875 * 0.5 * 0.97, 0.875 * 0.5 * 0.94))
    assert pgd.name == "pgd(steps=5)"
    curve = charts["curve-top1"].series[0]
    assert (curve.name, curve.x, curve.y) == ("test, original", (1.0, 2.0), (0.25, 0.5))
    # One clean, four components, four attacks and one defence.
    assert len(page.evaluations.rows) == 10
    facts = {fact.name: fact.text for fact in (*page.identity, *page.training, *page.run)}
    assert facts["identity"] == identity
    assert facts["checkpoint, sha256"] == "ab (7 bytes)"
    assert facts["parameters"] == "3,000,000,000"
    assert facts["trained"] == "2026-03-01 12:30 UTC"
    assert facts["plugins of"] == "hfcbench 0.1.0, hfcbench-jpeg 0.2.0"


def test_pages_name_no_host_and_no_command_line(site):
    assert build.run().host == "host"
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert ">host<" not in text
        assert build.run().command not in text


def test_pictures_of_a_training_have_a_place(store, overview, pages):
    identity = overview.trainings["training"].iloc[0]
    results, path = read_training(store, identity), pages[identity]
    picture = Picture("../pictures/a.png", "stripes", "Kernels of the first layer", 8, 4)
    page = training_page(results, overview, path, pages, [picture])
    html = Renderer(has_detection=False).render("training.html", path, page=page).decode()
    assert '<img src="../pictures/a.png" alt="stripes" width="8" height="4" loading="lazy">' in html
    assert "<h2>Pictures</h2>" in html


def test_the_page_of_a_detector_and_the_page_on_all(store, overview, pages):
    _, page = page_of(store, overview, pages, "retinanet")
    assert [cell.text for cell in column(page.classes, "original")] == ["0.750", "0.250"]
    (section,) = detection_page(read_detection(store, overview), overview, pages, [None]).sections
    components, cutoffs = section.charts
    (detector,) = components.series
    assert detector.x == ("original", "lfc@4", "lfc@8", "hfc@4", "hfc@8")
    assert detector.y == (0.5, 0.25, 0.375, 0.25, 0.125)
    assert detector.low[0] == 0.4375
    low, high = cutoffs.series
    assert (low.y, high.y) == ((0.25, 0.375), (0.25, 0.125))
    assert next(cell.text for cell in column(section.metrics, "map-50")) == "0.500"
    # Of three pictures with a score the first one scores what the component does.
    assert [cell.order for cell in column(section.gains, "drop")] == [1] * 4
    difference = column(section.gains, "mean difference")[0]
    assert difference.order == pytest.approx((0.25 - 0.5) / 3)
    assert [cell.text for cell in column(section.classes[0].table, "class")] == ["car", "person"]


def test_pages_of_datasets(overview, pages):
    pets, street = overview.datasets
    page = page_of_dataset(overview, pets, pages)
    facts = {fact.name: fact.text for fact in page.facts}
    assert facts["fingerprint"] == build.FINGERPRINT
    assert facts["images"] == "100 test, 200 train"
    assert page.classes == ("Katze", "Hünd")
    assert len(page.trainings.rows) == 3
    table = dataset_list(overview).table
    assert [cell.text for cell in column(table, "trainings")] == ["3", "1"]
    assert [cell.text for cell in column(table, "images")] == ["300", "4"]
    assert dataset_page(pets) != dataset_page(street)


def test_statements_that_nothing_was_run_for_say_what_would():
    page = claims_page(CheckedClaims((), ("fig3 cannot be checked.",)))
    commands = [cell.text for cell in column(page.not_run, "to run it")]
    assert "hfcbench run --suite paper/table1" in commands
    assert page.tables == ()
    assert page.problems == ("fig3 cannot be checked.",)
    assert page.facts[-1].text == str(len(page.not_run.rows))


def test_the_same_database_makes_the_same_bytes(database, site, tmp_path):
    with open_store(database, read_only=True) as store:
        written = write_site(store, load_plugins().registry, tmp_path / "again")
    assert written.page_count == len(list(site.rglob("*.html")))
    first = {path.relative_to(site): path.read_bytes() for path in site.rglob("*.*")}
    again = tmp_path / "again"
    assert first == {path.relative_to(again): path.read_bytes() for path in again.rglob("*.*")}


class Links(HTMLParser):
    """All addresses that a page refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attributes if name in ("href", "src") and value]


def test_every_link_leads_to_a_file_of_the_site(site):
    for path in site.rglob("*.html"):
        for address in Links(path.read_text(encoding="utf-8")).found:
            if not address.startswith(("#", "data:")):
                assert "//" not in address
                assert Path(path.parent, address).resolve().is_file(), (path, address)


def test_only_some_datasets(database, tmp_path):
    with open_store(database, read_only=True) as store:
        write_site(store, load_plugins().registry, tmp_path / "one", datasets=["pets"])
    assert not (tmp_path / "one" / "detection.html").exists()
    assert len(list((tmp_path / "one" / "trainings").iterdir())) == 3


def test_names_of_pages():
    agree = {"a" * 16 + "0" * 48: 1, "a" * 16 + "1" * 48: 2, "b" * 64: 3, "../x": 4}
    names = list(training_pages(agree).values())
    assert names[0] == f"trainings/{'a' * 16}{'0' * 48}.html"
    assert names[2] == f"trainings/{'b' * 16}.html"
    assert len(set(names)) == 4
    assert all(len(PurePosixPath(name).parts) == 2 and ".." not in name for name in names)
    assert from_page("trainings/a.html", "index.html") == "../index.html"
    assert from_page("index.html", "trainings/a.html") == "trainings/a.html"


def test_wording():
    assert decimals(-0.0625) == "−0.062"
    assert decimals(0.5, signed=True) == "+0.500"
    assert [decimals(value) for value in (None, math.nan, math.inf, -math.inf)] == [
        *("", "", "infinity", "−infinity")
    ]
    assert label_parts("pgd(steps=5, a=(1))@0.03") == ("pgd@0.03", "steps=5, a=(1)")
    assert label_parts("none") == ("none", "")
    assert [bytes_text(size) for size in (7, 334_272, 45_000_000)] == [
        *("7 bytes", "334.3 kB", "45.0 MB")
    ]
    assert [duration_text(seconds) for seconds in (0.85, 185, 7800)] == [
        *("0.8 s", "3 min 5 s", "2 h 10 min")
    ]


def test_a_training_without_scores_and_with_a_broken_curve_has_its_page(tmp_path):
    points = [replace(point, value=math.nan) for point in build.curve()]
    loss = [replace(point, metric="loss", value=math.inf) for point in build.curve()]
    with open_store(tmp_path / "results.db", create=True) as store:
        store.add_dataset(build.dataset())
        run_id = store.begin_run(build.run())
        store.add_training(build.training(curve=[*points, *loss]), run_id)
        diverged = build.training(model="alexnet")
        store.add_training(diverged, run_id)
        store.add_evaluations([build.evaluation(diverged, value=math.nan)], run_id)
        write_site(store, load_plugins().registry, tmp_path / "site")
    first, second = (path.read_text() for path in sorted((tmp_path / "site/trainings").iterdir()))
    bare = first if "<h1>resnet18</h1>" in first else second
    assert "On the leaderboard" not in bare
    assert '"y":[null,null]' in bare
    index = (tmp_path / "site" / "index.html").read_text()
    assert "alexnet" in index
    assert ">–</td>" in index


def test_defences_are_compared_by_the_worst_attack_at_each_epsilon(tmp_path):
    with open_store(tmp_path / "results.db", create=True) as store:
        store.add_dataset(build.dataset())
        run_id = store.begin_run(build.run())
        training = build.training()
        store.add_training(training, run_id)
        given = [
            *(("none", "fgsm", 0.03, 0.5, "linf"), ("none", "pgd", 0.03, 0.25, "linf")),
            *(("none", "pgd", 0.06, 0.125, "linf"), ("none", "l2", 2.0, 0.0625, "l2")),
            *(("jpeg", "fgsm", 0.03, 0.375, "linf"), ("jpeg", "pgd", 0.03, 0.75, "linf")),
        ]
        records = [
            build.evaluation(
                *(training,),
                defence=defence,
                attack=attack,
                epsilon=epsilon,
                value=value,
                attack_norm=norm,
                search=Search("worst-case"),
            )
            for defence, attack, epsilon, value, norm in given
        ]
        oblivious = build.evaluation(
            *(training,),
            defence="jpeg",
            attack="pgd",
            epsilon=0.03,
            value=0.0,
            attack_norm="linf",
            search=Search("worst-case", mode="oblivious"),
        )
        store.add_evaluations([*records, oblivious], run_id)
        scores = store.evaluations(trainings=training.identity)
    l2, attacks, defences = robust_charts(scores, "top1")
    assert [(one.name, one.x, one.y) for one in l2.series] == [("l2", (2.0,), (0.0625,))]
    assert [(one.name, one.x, one.y) for one in attacks.series] == [
        ("fgsm", (0.03,), (0.5,)),
        ("pgd", (0.03, 0.06), (0.25, 0.125)),
    ]
    # The attack that does not know the defence says nothing about it.
    assert [(one.name, one.x, one.y) for one in defences.series] == [
        ("no defence", (0.03, 0.06), (0.25, 0.125)),
        ("jpeg", (0.03,), (0.375,)),
    ]
