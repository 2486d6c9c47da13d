"""The leaderboard's picture: what is drawn where, with which intervals, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from PIL import Image
from scipy import stats

from hfcbench.errors import UsageError
from hfcbench.reports.figures.drawing import save_figure
from hfcbench.reports.figures.leaderboard import MOST_ROWS, draw_leaderboard
from hfcbench.reports.figures.leaderboard_points import sections
from hfcbench.reports.figures.themes import THEMES
from hfcbench.results.queries.conditions import KnownCondition
from hfcbench.results.queries.leaderboard import Leaderboard


def condition(component: str = "original", attack: str = "none") -> KnownCondition:
    part, _, cutoff = component.partition("@")
    cut = ("fft-radial", "1", "mean") if cutoff else (None, None, None)
    epsilon = None if attack == "none" else 0.03
    return KnownCondition(
        1, "1", "test", "none", None, attack, None, epsilon,
        component, part, float(cutoff) if cutoff else None, None, *cut,
    )  # fmt: skip


CONDITIONS = {
    "original": condition(),
    "lfc@8": condition("lfc@8"),
    "hfc@8": condition("hfc@8"),
    "fgsm@0.03": condition(attack="fgsm"),
    "pgd@0.03": condition(attack="pgd"),
}
ROW = {
    "rank": 1.0, "dataset": "pets", "fingerprint": "ab", "scale": "full", "split": "test",
    "procedure": "1", "n": 200, "model": "lenet5", "heuristics": "vanilla",
    "trained_on": "original", "defence": "none", "seed": 0, "epochs": 10, "original": 0.8,
    "original_low": 0.75, "original_high": 0.85, "lfc@8": 0.6, "hfc@8": 0.1, "fgsm@0.03": 0.3,
    "pgd@0.03": 0.2, "robust": 0.2, "n_attacked": 50, "flags": "", "training": "a" * 64,
}  # fmt: skip


def board(*rows: dict[str, Any], metric: str = "top1", **columns: Any) -> Leaderboard:
    frame = pd.DataFrame([ROW | columns | row for row in rows])
    return Leaderboard(metric, frame, CONDITIONS, ())


def points(found: Leaderboard) -> Any:
    (section,) = sections(found)
    return section.rows[0].points


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's formula, written out."""
    z = stats.norm.ppf(0.975)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return centre - reach, centre + reach


def texts(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.texts]


def test_one_seed_has_the_intervals_of_its_images():
    found = points(board({}))
    assert (found["original"].low, found["original"].high) == (0.75, 0.85)
    assert (found["low"].low, found["low"].high) == pytest.approx(wilson(0.6, 200))
    assert (found["high"].low, found["high"].high) == pytest.approx(wilson(0.1, 200))
    # Fewer images were attacked.
    assert (found["robust"].low, found["robust"].high) == pytest.approx(wilson(0.2, 50))


def test_several_seeds_have_students_interval():
    spreads = {"original sd": 0.02, "lfc@8 sd": 0.01, "hfc@8 sd": 0.2, "robust sd": 0.03}
    found = points(board({}, rows=3, **spreads))
    low, high = stats.t.interval(0.95, 2, loc=0.6, scale=0.01 / math.sqrt(3))
    assert (found["low"].low, found["low"].high) == pytest.approx((low, high))
    # An accuracy is never below 0.
    assert found["high"].low == 0.0


def test_average_precision_has_no_intervals_of_shares():
    found = points(board({}, metric="map"))
    assert (found["original"].low, found["original"].high) == (0.75, 0.85)
    assert math.isnan(found["low"].low)


def test_detectors_have_a_picture_without_what_they_lack():
    unknown = dict.fromkeys(("original_low", "original_high", "robust"), math.nan)
    figure = draw_leaderboard(board(unknown, metric="map", n_attacked=0))
    said = texts(figure)
    assert "robust" not in said
    assert not any("…" in text or "95%" in text for text in said)
    assert figure.axes[0].get_xlabel() == "mean average precision"
    assert "95% bootstrap interval" in " ".join(texts(draw_leaderboard(board({}, metric="map"))))


def test_only_the_flag_of_the_lowest_attack_puts_a_robust_score_in_doubt():
    assert points(board({"flags": "pgd@0.03: more-steps"}))["robust"].doubted
    assert not points(board({"flags": "fgsm@0.03: more-steps"}))["robust"].doubted


def test_what_is_not_known_is_not_drawn():
    found = points(board({"lfc@8": math.nan, "robust": math.nan}))
    assert set(found) == {"original", "high"}
    figure = draw_leaderboard(board({"lfc@8": math.nan, "robust": math.nan}))
    assert "gap between the two" not in [text.get_text() for text in figure.legends[0].get_texts()]


def test_points_and_the_gap_lie_where_the_scores_are():
    (panel,) = draw_leaderboard(board({})).axes
    lines = [list(map(float, line.get_xdata())) for line in panel.get_lines()]
    assert [0.8, 0.6] in lines
    for value in (0.8, 0.6, 0.1, 0.2):
        assert [value] in lines
    assert [0.75, 0.85] in lines


def test_names_numbers_and_what_they_rest_on_are_said():
    rows = (
        {"model": "resnet18(width=8)", "heuristics": "mixup", "rank": 1.0},
        {"defence": "kernel-smoothing(rho=0.1)", "rank": math.nan, "lfc@8": 0.85},
        {"trained_on": "lfc@4", "rank": 2.0, "flags": "pgd@0.03: more-steps"},
    )
    said = texts(draw_leaderboard(board(*rows, scale="quick")))
    assert said[0] == "Leaderboard: pets"
    heading = "pets  ·  quick scale (reduced)  ·  200 test images  ·  50 of them attacked"
    assert f"{heading}  ·  10 epochs" in said
    assert {"  mixup", "  kernel-smoothing(rho=0.1)", "  trained on lfc@4"} <= set(said)
    assert {"+0.200", "−0.050", "0.200?", "resnet18"} <= set(said)
    note = " ".join(said[-2:])
    for what in ("fft-radial, rescaling mean", "lowest under fgsm@0.03, pgd@0.03", "hollow"):
        assert what in note


def test_a_long_name_keeps_the_end_that_tells_it_from_others():
    rows = [
        {
            "heuristics": "batchnorm+mixup+adversarial-training(steps=3, step_share=0.5)",
            "defence": f"kernel-smoothing(rho={rho})",
        }
        for rho in (0.1, 0.25)
    ]
    said = [text for text in texts(draw_leaderboard(board(*rows))) if "…" in text]
    assert [text.rpartition("(")[2] for text in said] == ["rho=0.1)", "rho=0.25)"]
    assert max(map(len, said)) < 60


def test_rows_that_do_not_compare_have_panels_of_their_own():
    figure = draw_leaderboard(board({}, {"dataset": "cars"}, {"dataset": "cars", "n": 100}))
    assert len(figure.axes) == 3
    assert texts(figure)[0] == "Leaderboard: pets, cars"


def test_nothing_and_too_much_are_refused():
    with pytest.raises(UsageError, match="nothing to draw"):
        draw_leaderboard(Leaderboard("top1", board({}).frame[:0], CONDITIONS, ()))
    with pytest.raises(UsageError, match=f"{MOST_ROWS + 1} rows.*\n.*--limit"):
        draw_leaderboard(board(*[{}] * (MOST_ROWS + 1)))


@pytest.mark.parametrize("name", THEMES)
def test_a_theme_is_the_background_and_stands_out_from_it(name, tmp_path):
    theme = THEMES[name]
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for path in paths:
        save_figure(draw_leaderboard(board({}, {}), name), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(paths[0]) as image:
        assert image.width == 1350
        assert "#{:02x}{:02x}{:02x}".format(*image.convert("RGB").getpixel((3, 3))) == (
            theme.background
        )
    for colour in (theme.text, theme.quiet):
        assert contrast(colour, theme.background) >= 4.5
    for colour in (theme.original, theme.high, theme.robust):
        assert contrast(colour, theme.background) >= 3
    assert contrast(theme.low, theme.background) >= 2


def contrast(first: str, second: str) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
    lights = sorted(map(luminance, (first, second)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
