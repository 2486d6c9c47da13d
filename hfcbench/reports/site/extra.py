"""What the site needs beside its pages: the extra ``report``, and files that pages load."""

from __future__ import annotations

from importlib.resources import files
from importlib.util import find_spec

from hfcbench.errors import UsageError

_NEEDED = ("jinja2", "plotly")
_ASSETS = ("site.css", "start.js", "tables.js", "charts.js")


def check_installed() -> None:
    """Raise UsageError unless the extra is installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the report needs {' and '.join(missing)}, which {_is(missing)} not installed",
            hint='pip install "hfcbench[report]"',
        )


def static_files() -> dict[str, bytes]:
    """What pages load, by path in the site; the charts' library is what plotly carries."""
    own = files("hfcbench.reports.site").joinpath("assets")
    charts = files("plotly").joinpath("package_data", "plotly.min.js")
    return {
        **{f"assets/{name}": own.joinpath(name).read_bytes() for name in _ASSETS},
        "assets/plotly.min.js": charts.read_bytes(),
    }


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
