"""Tables 1 and 2, and accuracy against robustness."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from hfcbench.errors import UsageError
from hfcbench.reports.figures.conditions import rho_of
from hfcbench.reports.figures.drawing import Drawing, TableOutput, save
from hfcbench.reports.figures.suites import draw


def tables(outputs: list[Drawing | TableOutput]) -> list[TableOutput]:
    return [output for output in outputs if isinstance(output, TableOutput)]


def test_table1(build: ModuleType, tmp_path: Path) -> None:
    builder = build.StudyBuilder("paper/table1")
    for component, train, test in (("lfc@4", 0.9, 0.6), ("hfc@4", 0.8, 0.2)):
        builder.curve(component, [0.3, train], split="train", trained_on=component)
        builder.curve("original", [0.1, 0.15], split="train", trained_on=component)
        builder.score(test, low=test - 0.1, high=test + 0.1, trained_on=component)
        builder.score(0.99, component="lfc@8", trained_on=component)
        builder.score(0.01, attack="fgsm", epsilon=0.03, trained_on=component)
    outputs = draw(builder.study())
    (table,) = tables(outputs)
    assert list(table.frame["trained_on"]) == ["lfc@4", "hfc@4"]
    assert list(table.frame["train"]) == [0.9, 0.8]
    assert list(table.frame["test"]) == [0.6, 0.2]
    assert list(table.frame["test_low"]) == [0.5, 0.1]
    text = save(outputs[0], tmp_path)[1].read_text(encoding="utf-8")
    assert "accuracy (share of images)" in text
    assert "trained on" in text


def test_table1_of_scores_alone(build: ModuleType) -> None:
    builder = build.StudyBuilder("paper/table1")
    builder.score(0.6, trained_on="lfc@4")
    (table,) = tables(draw(builder.study(missing=1)))
    assert np.isnan(table.frame["train"].iloc[0])
    assert "1 of 3 results are missing" in table.note


def defended(build: ModuleType, suite: str) -> list[Drawing | TableOutput]:
    builder = build.StudyBuilder(suite)
    for heuristics, clean in (("vanilla", 0.8), ("adversarial-training(steps=3)", 0.7)):
        for defence in ("none", "kernel-smoothing(rho=0.25)", "kernel-smoothing"):
            builder.score(clean, heuristics=heuristics, defence=defence)
            for place, attack in enumerate(("pgd(steps=10)", "fgsm"), start=1):
                for epsilon in (0.06, 0.03):
                    value = clean - 5 * epsilon - 0.1 * place
                    builder.score(
                        *(value,),
                        heuristics=heuristics,
                        defence=defence,
                        attack=attack,
                        epsilon=epsilon,
                    )
    return draw(builder.study())


def test_table2(build: ModuleType, tmp_path: Path) -> None:
    outputs = defended(build, "paper/table2")
    (table,) = tables(outputs)
    shown = [name for name in table.frame if not name.endswith(("_low", "_high"))]
    assert shown == [
        *("heuristics", "rho", "clean", "pgd(steps=10) eps 0.03", "pgd(steps=10) eps 0.06"),
        *("fgsm eps 0.03", "fgsm eps 0.06", "seeds", "n"),
    ]
    assert list(table.frame["rho"]) == [0, 0.25, 1, 0, 0.25, 1]
    assert table.frame["fgsm eps 0.03"].iloc[0] == pytest.approx(0.8 - 0.15 - 0.2)
    # Wilson, 160 of 200.
    assert table.frame["clean_low"].iloc[0] == pytest.approx(0.7391, abs=1e-4)
    text = save(outputs[0], tmp_path)[1].read_text(encoding="utf-8")
    for expected in ("epsilon (L∞, pixels in [0,1])", "rho 0.25", "accuracy (share of images)"):
        assert expected in text
    assert "0.800 [0.739, 0.850]" in save(table, tmp_path)[1].read_text()


def test_other_defences_are_not_in_table2(build: ModuleType) -> None:
    builder = build.StudyBuilder("paper/table2")
    builder.score(0.6, defence="jpeg(quality=50)")
    with pytest.raises(UsageError, match="nothing to draw"):
        draw(builder.study())


@pytest.mark.parametrize(
    ("label", "rho"), [("none", 0), ("kernel-smoothing(rho=0.25)", 0.25), ("kernel-smoothing", 1)]
)
def test_rho(label: str, rho: float) -> None:
    assert rho_of(label) == rho


@pytest.mark.parametrize("more", ["layers=all", "layers=2", "normalised=true"])
def test_only_the_paper_s_smoothing_has_a_rho(more: str) -> None:
    assert math.isnan(rho_of(f"kernel-smoothing(rho=0.25, {more})"))


def test_tradeoff(build: ModuleType, tmp_path: Path) -> None:
    builder = build.StudyBuilder("paper/tradeoff")
    for model, clean, robust in (("a", 0.9, 0.1), ("b", 0.7, 0.4), ("c", 0.6, 0.3)):
        builder.score(clean, model=model)
        builder.score(robust, model=model, attack="fgsm", epsilon=0.03)
    outputs = draw(builder.study())
    (table,) = tables(outputs)
    assert list(table.frame["model"]) == ["a", "b", "c"]
    assert list(table.frame["front"]) == ["yes", "yes", "no"]
    # Wilson, 20 of 200.
    assert table.frame["robust_low"].iloc[0] == pytest.approx(0.0656, abs=1e-4)
    text = save(outputs[0], tmp_path)[1].read_text(encoding="utf-8")
    for expected in ("clean accuracy (share of images)", "robust accuracy", "Pareto front"):
        assert expected in text


def test_tradeoff_needs_attacks(build: ModuleType) -> None:
    builder = build.StudyBuilder("paper/tradeoff")
    builder.score(0.9)
    with pytest.raises(UsageError) as caught:
        draw(builder.study(missing=4))
    assert "4 of 6 results are missing" in caught.value.what
    assert caught.value.hint == "hfcbench run paper/tradeoff"


def test_a_dataset_without_attacks_has_no_tradeoff(build: ModuleType) -> None:
    builder = build.StudyBuilder("paper/tradeoff")
    builder.score(0.8)
    builder.score(0.2, attack="fgsm", epsilon=0.03)
    builder.score(0.9, dataset="mnist")
    # Attacked, but not seen clean.
    builder.score(0.1, model="lenet5", attack="pgd", epsilon=0.03)
    (table,) = tables(draw(builder.study()))
    assert table.name == "tradeoff-cifar10"
    assert table.frame[["model", "condition"]].to_numpy().tolist() == [
        ["resnet18", "fgsm eps 0.03"]
    ]


def bits(text: str) -> list[bool]:
    return [digit == "1" for digit in text]


def test_tradeoff_over_the_worst_case(build: ModuleType, tmp_path: Path) -> None:
    builder = build.StudyBuilder("paper/tradeoff")
    for model, clean, fgsm, pgd in (
        # Robust are the last four images; the third is right under both, but not when clean.
        ("a", "1101111111", "1111001111", "0010111111"),
        # Robust are the first five, though each attack leaves fewer than a's.
        ("b", "1111110000", "1111110000", "1111101000"),
        # Beaten by b, but for its LFCs.
        ("c", "1111110000", "1110000000", "1110000000"),
    ):
        builder.score(0, right=bits(clean), model=model)
        builder.score(0, right=bits(fgsm), model=model, attack="fgsm", epsilon=0.03)
        builder.score(0, right=bits(pgd), model=model, attack="pgd(steps=5)", epsilon=0.03)
        for radius, value in ((4, 0.1), (8, 0.7 if model == "c" else 0.5), (12, 0.9)):
            builder.score(value, component=f"lfc@{radius}", model=model)
    outputs = draw(builder.study())
    (table,) = tables(outputs)
    name = "worst case of: fgsm, pgd(steps=5) at 0.03"
    assert list(dict.fromkeys(table.frame["condition"])) == [
        *(name, "fgsm eps 0.03", "pgd(steps=5) eps 0.03")
    ]
    worst = table.frame[table.frame["condition"] == name]
    assert list(worst["model"]) == ["a", "b", "c"]
    assert list(worst["robust"]) == pytest.approx([0.4, 0.5, 0.3])
    assert list(worst["clean"]) == pytest.approx([0.9, 0.6, 0.6])
    # Wilson, 4 of 10.
    assert worst["robust_low"].iloc[0] == pytest.approx(0.1682, abs=1e-4)
    assert worst["robust_high"].iloc[0] == pytest.approx(0.6873, abs=1e-4)
    assert list(worst["front"]) == ["yes", "yes", "no"]
    assert list(worst["lfc"]) == [0.5, 0.5, 0.7]
    assert list(worst["three_way_front"]) == ["yes", "yes", "yes"]
    fgsm = table.frame[table.frame["condition"] == "fgsm eps 0.03"]
    assert list(fgsm["robust"]) == pytest.approx([0.8, 0.6, 0.3])
    assert list(fgsm["front"]) == ["yes", "no", "no"]
    assert "lfc: accuracy on lfc@8 (rescaling none)" in table.note
    assert "worst case: right when clean and under each of these attacks" in table.note
    text = save(outputs[0], tmp_path)[1].read_text(encoding="utf-8")
    for expected in ("worst case of: fgsm,", "pgd(steps=5) at 0.03", "Pareto front"):
        assert expected in text


def test_worst_cases_over_seeds_and_of_a_larger_ball(build: ModuleType) -> None:
    builder = build.StudyBuilder("paper/tradeoff")
    for seed, clean in enumerate(("1111111111", "0111111111")):
        builder.score(0, right=bits(clean), seed=seed)
        builder.score(0, right=bits("1111110011"), attack="fgsm", epsilon=0.03, seed=seed)
        builder.score(0, right=bits("1110001111"), attack="fgsm", epsilon=0.06, seed=seed)
    (table,) = tables(draw(builder.study()))
    found = table.frame.set_index("condition")
    assert found.loc["worst case of: fgsm at 0.03", "robust"] == pytest.approx(0.75)
    # Of 0.5 and 0.4: t(0.975, 1) = 12.706 times 0.0707 / sqrt(2), cut off at 0.
    worst = found.loc["worst case of: fgsm up to 0.06"]
    assert worst["robust"] == pytest.approx(0.45)
    assert (worst["robust_low"], worst["robust_high"]) == pytest.approx((0, 1))
    assert worst["seeds"] == 2
    assert "three_way_front" not in table.frame


def test_a_model_that_faced_fewer_attacks_has_no_worst_case(build: ModuleType) -> None:
    builder = build.StudyBuilder("paper/tradeoff")
    for model in ("a", "b"):
        builder.score(0, right=bits("1111"), model=model)
        builder.score(0, right=bits("1100"), model=model, attack="fgsm", epsilon=0.03)
    builder.score(0.5, component="lfc@8", model="a")
    builder.score(0, right=bits("1000"), model="a", attack="pgd", epsilon=0.03)
    (table,) = tables(draw(builder.study(missing=1)))
    worst = table.frame[table.frame["condition"] == "worst case of: fgsm, pgd at 0.03"]
    assert list(worst["model"]) == ["a"]
    fgsm = table.frame[table.frame["condition"] == "fgsm eps 0.03"]
    assert list(fgsm["three_way_front"]) == ["yes", "unknown"]
