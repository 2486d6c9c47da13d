"""Figures of quantities: images, kernels and maps."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from hfcbench.errors import UsageError
from hfcbench.quantities import Axis
from hfcbench.reports.figures.drawing import Drawing, TableOutput, save
from hfcbench.reports.figures.kernels import mosaic
from hfcbench.reports.figures.suites import FIGURES, draw

CONFLICTS = "prediction-conflicts"


def add_conflicts(build: ModuleType, builder: Any, analysis: str = CONFLICTS, **about: Any) -> None:
    pixels = np.full((2, 1, 16, 16), 51, np.uint8)
    builder.measure(analysis, build.array("high-examples", pixels), **about)
    builder.measure(analysis, build.array("high-answers", [[3.0, 5, 3], [1, 2, 1]]), **about)
    confidences = [[0.9, 0.5, 0.75], [0.8, 0.4, 0.6]]
    builder.measure(analysis, build.array("high-confidences", confidences), **about)
    builder.measure(analysis, build.array("high-labels", [3.0, 2]), **about)
    empty = build.array("low-examples", np.zeros((0, 1, 16, 16), np.uint8))
    builder.measure(analysis, empty, **about)
    builder.measure(analysis, build.scalar("paper-high", 0.05, 0.03, 0.08, 400), **about)


def texts(outputs: list[Drawing | TableOutput], folder: Path) -> str:
    return "\n".join(save(one, folder)[1].read_text(encoding="utf-8") for one in outputs)


def panels(output: Drawing | TableOutput) -> list[Any]:
    assert isinstance(output, Drawing)
    assert isinstance(output.figure, Figure)
    return output.figure.get_axes()


def test_fig2(build: ModuleType, tmp_path: Path) -> None:
    builder = build.StudyBuilder("paper/fig2")
    add_conflicts(build, builder, f"{CONFLICTS}(cutoff=4)")
    outputs = draw(builder.study())
    drawing, table = outputs
    assert len(panels(drawing)) == 6
    original, low, high = (panel.get_images()[0].get_array() for panel in panels(drawing)[:3])
    # A flat image is all low frequency; the high part is shown around mid-grey.
    np.testing.assert_allclose(original, 0.2, atol=1e-6)
    np.testing.assert_allclose(low, 0.2, atol=1e-6)
    np.testing.assert_allclose(high, 0.5, atol=1e-6)
    text = texts([drawing], tmp_path)
    for expected in ("HFC + 0.5", "class 5", "50%", "label", "class 3", "fourier, r = 4"):
        assert expected in text
    assert isinstance(table, TableOutput)
    row = table.frame.iloc[0]
    assert (row["kind"], row["images"], row["n"]) == ("paper-high", 20, 400)
    assert (row["share"], row["share_low"], row["share_high"]) == pytest.approx((0.05, 0.03, 0.08))


def test_classes_are_called_by_their_names(build: ModuleType, tmp_path: Path) -> None:
    builder = build.StudyBuilder("paper/fig2")
    add_conflicts(build, builder)
    names = ["airplane", "$\\frac$", "bird", "sheepdog from Shetland", "deer"]
    study = builder.study(classes={"cifar10": names, "mnist": ["0", "1", "2", "3", "4", "5"]})
    drawing = draw(study)[0]
    shown = [(panel.get_xlabel(), panel.get_ylabel()) for panel in panels(drawing)]
    assert shown == [
        # The first image: 3, 5, 3 of label 3; there is no sixth name.
        ("sheepdog fr…\n90%", "label\nsheepdog fr…"),
        ("class 5\n50%", ""),
        ("sheepdog fr…\n75%", ""),
        ("$\\frac$\n80%", "label\nbird"),
        ("bird\n40%", ""),
        ("$\\frac$\n60%", ""),
    ]
    bold = [panel.xaxis.label.get_fontweight() == "bold" for panel in panels(drawing)]
    assert bold == [True, False, True, False, True, False]
    assert "sheepdog fr…" in texts([drawing], tmp_path)


def test_svd_beside_fourier(build: ModuleType, tmp_path: Path) -> None:
    builder = build.StudyBuilder("paper/svd")
    for analysis in (CONFLICTS, f"{CONFLICTS}(method=svd)"):
        add_conflicts(build, builder, analysis)
    drawing, table = draw(builder.study())
    heights = [bar.get_height() for bar in panels(drawing)[0].patches]
    assert heights == pytest.approx([0.05, 0.05])
    assert "share of test images" in texts([drawing], tmp_path)
    assert isinstance(table, TableOutput)
    assert list(table.frame["method"]) == ["fourier", "svd"]
    assert list(table.frame["cutoff"]) == ["12", "12"]


def test_fig7(build: ModuleType, tmp_path: Path) -> None:
    builder = build.StudyBuilder("paper/fig7")
    frequencies = Axis("relative-frequency", "", (0.0, 0.5, 1.0))
    for defence, share in (("none", 0.4), ("kernel-smoothing(rho=0.5)", 0.2)):
        kernels = build.array("kernels", np.ones((20, 3, 5, 5), np.float32))
        beyond = build.array("spectral-energy-beyond", [1, share, 0], frequencies)
        share_of_it = build.scalar("high-frequency-share", share, share - 0.1, share + 0.1, 0)
        for quantity in (kernels, beyond, share_of_it):
            builder.measure("first-layer-kernels", quantity, defence=defence)
    outputs = draw(builder.study())
    assert [one.name for one in outputs] == ["fig7", "fig7-spectra", "fig7"]
    text = texts(outputs, tmp_path)
    for expected in ("weight", "filter (output channel)", "relative frequency (share"):
        assert expected in text
    table = outputs[2]
    assert isinstance(table, TableOutput)
    assert list(table.frame["value"]) == pytest.approx([0.4, 0.2])
    assert list(table.frame["value_high"]) == pytest.approx([0.5, 0.3])
    lines = panels(outputs[1])[0].get_lines()
    assert [list(line.get_ydata()) for line in lines] == [[1, 0.4, 0], [1, 0.2, 0]]


def test_mosaic_keeps_kernels_apart() -> None:
    kernels = np.arange(2 * 3 * 2 * 2, dtype=float).reshape(2, 3, 2, 2)
    tile = mosaic(kernels)
    assert tile.shape == (8, 5)
    np.testing.assert_array_equal(tile[3:5, 3:5], kernels[1, 1])
    assert np.isnan(tile[2]).all()
    assert np.isnan(tile[:, 2]).all()


def fourier_study(build: ModuleType) -> Any:
    builder = build.StudyBuilder("paper/fourier")
    across = tuple(map(float, range(-4, 4)))
    radii = Axis("radius", "bins", (0.0, 1.0, 2.0))
    for seed, error in ((0, 0.2), (1, 0.4)):
        axes = (
            Axis("vertical-frequency", "bins", across),
            Axis("horizontal-frequency", "bins", across),
        )
        heat = build.array("error", np.full((8, 8), error), *axes, n=50)
        builder.measure("fourier-heat-map", heat, seed=seed)
        by_radius = build.array("error-by-radius", [error] * 3, radii, n=50)
        builder.measure("fourier-heat-map", by_radius, seed=seed)
    bands = (
        Axis("noise-deviation", "pixels in [0,1]", (0.0, 0.1)),
        Axis("band-centre", "bins", (1.0, 2.0)),
    )
    builder.measure("critical-band", build.array("top1", np.eye(2), *bands, n=50))
    condition: dict[str, Any] = {"attack": "fgsm", "epsilon": 0.03}
    energy = build.array("energy-share", [0.5, 0.25, 0.25], radii, n=50)
    builder.measure("perturbation-spectrum", energy, **condition)
    radius = build.scalar("mean-radius", 7.5, 7.0, 8.0, 50)
    builder.measure("perturbation-spectrum", radius, **condition)
    return builder.study()


def test_fourier(build: ModuleType, tmp_path: Path) -> None:
    outputs = draw(fourier_study(build))
    assert [one.name for one in outputs] == [
        *("fourier-heat-map", "fourier-error-by-radius", "critical-band"),
        *("perturbation-spectrum", "perturbation-spectrum"),
    ]
    heat = panels(outputs[0])[0].get_images()[0]
    np.testing.assert_allclose(heat.get_array(), 0.3)
    text = texts(outputs, tmp_path)
    for expected in ("error rate (share)", "horizontal frequency (bins)", "radius (frequency bins"):
        assert expected in text
    table = outputs[-1]
    assert isinstance(table, TableOutput)
    row = table.frame.iloc[0]
    assert (row["value"], row["value_low"], row["value_high"]) == (7.5, 7, 8)


def test_seeds_give_a_band(build: ModuleType) -> None:
    outputs = draw(fourier_study(build))
    (band,) = panels(outputs[1])[0].collections
    # Mean 0.3, standard deviation 0.1414214, t(0.975; 1) = 12.706205.
    assert band.get_datalim(panels(outputs[1])[0].transData).y1 == pytest.approx(
        0.3 + 12.706205 * 0.1, abs=1e-4
    )


@pytest.mark.parametrize("suite", sorted(FIGURES))
def test_empty_studies_name_the_command(build: ModuleType, suite: str) -> None:
    with pytest.raises(UsageError) as caught:
        draw(build.StudyBuilder(suite).study(missing=7))
    assert "nothing to draw" in caught.value.what
    assert "7 of 7 results are missing" in caught.value.what
    assert caught.value.hint == f"hfcbench run {suite}"


def test_unknown_suites_are_told_the_nearest(build: ModuleType) -> None:
    with pytest.raises(UsageError) as caught:
        draw(build.StudyBuilder("paper/fig33").study())
    assert "paper/fig3" in str(caught.value)
