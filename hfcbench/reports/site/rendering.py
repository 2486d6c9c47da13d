"""From page models to HTML: Jinja2 escapes everything that is not markup of the templates."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hfcbench.reports.site.addresses import CLAIMS, DATASETS, DETECTION, INDEX, from_page
from hfcbench.reports.site.elements import Chart
from hfcbench.version import __version__

if TYPE_CHECKING:
    from markupsafe import Markup

# Whatever a text says, it cannot end the script element that it stands in.
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


class Renderer:
    """Renders the pages of one site.

    Args:
        has_detection: whether there is a page on detectors.
    """

    def __init__(self, *, has_detection: bool) -> None:
        from jinja2 import Environment, PackageLoader, StrictUndefined

        self._environment = Environment(
            loader=PackageLoader("hfcbench.reports.site"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["chart_json"] = chart_json
        self._navigation = [("Leaderboard", INDEX), ("Datasets", DATASETS)]
        self._navigation += [("Detection", DETECTION)] if has_detection else []
        self._navigation += [("Claims", CLAIMS)]

    def render(self, template: str, path: str, **content: Any) -> bytes:
        """A page of the site as bytes.

        Args:
            path: the page's, which decides how it refers to others.
            content: what the template shows.
        """

        def link(target: str) -> str:
            return from_page(path, target)

        text = self._environment.get_template(template).render(
            link=link,
            path=path,
            navigation=self._navigation,
            version=__version__,
            **content,
        )
        # A lone surrogate, which no encoding has, must not keep a page from being written.
        return text.encode("utf-8", "replace")


def chart_json(chart: Chart) -> Markup:
    """What the page's script draws, as JSON that is safe inside a script element."""
    from markupsafe import Markup

    content = {
        "x": chart.x_title,
        "y": chart.y_title,
        "diagonal": chart.diagonal,
        "unit": chart.unit_range,
        "from_zero": chart.from_zero,
        "series": [asdict(series) for series in chart.series],
    }
    text = json.dumps(content, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return Markup("".join(_ESCAPES.get(letter, letter) for letter in text))
