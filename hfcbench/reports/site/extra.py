"""What the site needs beside hfcbench itself: the extra ``report``."""

from __future__ import annotations

from importlib.resources import files
from importlib.util import find_spec

from hfcbench.errors import UsageError

_NEEDED = ("jinja2", "plotly")


def check_installed() -> None:
    """Raise UsageError unless the extra is installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"the report needs {' and '.join(missing)}, which {_is(missing)} not installed",
            hint='pip install "hfcbench[report]"',
        )


def plotly_script() -> bytes:
    """The JavaScript library that the installed plotly carries."""
    return files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
