"""Which figure belongs to which suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from hfcbench.errors import UsageError, nearest
from hfcbench.reports.figures.curves import architectures, fig3, fig4, fig5, fig6, optimizers
from hfcbench.reports.figures.detection import detection
from hfcbench.reports.figures.drawing import Drawing, TableOutput
from hfcbench.reports.figures.images import fig2, svd
from hfcbench.reports.figures.kernels import fig7
from hfcbench.reports.figures.maps import fourier
from hfcbench.reports.figures.tables import table1, table2
from hfcbench.reports.figures.tradeoffs import tradeoff
from hfcbench.reports.study import Study

FIGURES: Mapping[str, Callable[[Study], list[Drawing | TableOutput]]] = MappingProxyType(
    {
        "paper/fig2": fig2,
        "paper/fig3": fig3,
        "paper/table1": table1,
        "paper/fig4": fig4,
        "paper/fig5": fig5,
        "paper/architectures": architectures,
        "paper/optimizers": optimizers,
        "paper/fig6": fig6,
        "paper/fig7": fig7,
        "paper/table2": table2,
        "paper/svd": svd,
        "paper/tradeoff": tradeoff,
        "paper/fourier": fourier,
        "detection": detection,
        "paper/detection": detection,
    }
)


def draw(study: Study) -> list[Drawing | TableOutput]:
    """The figures and tables of a study's suite, from results alone.

    A suite without figures of its own has those of detection, if it has detectors. Results that
    are missing are left out; the footnotes say how many.

    Raises:
        UsageError: nothing that the figure needs is there, or the suite has no figures.
    """
    check_figures(study.suite, detectors=study.pictures is not None)
    return FIGURES.get(study.suite, detection)(study)


def check_figures(suite: str, *, detectors: bool = False) -> None:
    """Raise UsageError for a suite that has no figures.

    Args:
        detectors: whether it has any.
    """
    if suite not in FIGURES and not detectors:
        raise UsageError(
            f"there are no figures of the suite '{suite}'", hint=nearest(suite, FIGURES)
        )
