"""Versions of everything that numbers depend on, and whether it can be imported."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

from hfcbench.diagnosis.checks import Check
from hfcbench.version import __version__

# Compiled parts that do not fit each other show themselves when they are imported.
_IMPORTED = ("numpy", "torch", "torchvision", "timm")
_NEEDED = (
    *("scipy", "pandas", "statsmodels", "scikit-image", "pillow", "safetensors", "pycocotools"),
    *("sqlalchemy", "alembic", "pydantic", "pluggy", "click", "rich"),
)
_OPTIONAL = {
    "detectron2": "models of detectron2",
    "torchattacks": "attacks of torchattacks",
    "ray": "--executor ray",
    "psycopg": "PostgreSQL",
    "pyarrow": "Parquet",
    "datasette": "hfcbench serve",
}


def version_checks(import_module: Callable[[str], object]) -> Iterator[Check]:
    """One check per distribution.

    Args:
        import_module: :func:`importlib.import_module`.
    """
    yield Check("versions", "hfcbench", "ok", __version__)
    python = f"{platform.python_version()} ({platform.python_implementation()})"
    yield Check("versions", "python", "ok", python)
    yield Check("versions", "system", "ok", platform.platform())
    for name in _IMPORTED:
        yield _imported(name, import_module)
    for name in _NEEDED:
        yield _installed(name)
    for name, purpose in _OPTIONAL.items():
        found = _version(name)
        yield Check("versions", name, "ok", found or f"not installed ({purpose})")


def _imported(name: str, import_module: Callable[[str], object]) -> Check:
    installed = _installed(name)
    if installed.state == "fail":
        return installed
    try:
        import_module(name)
    except Exception as error:
        # A library that cannot be loaded raises OSError, one of another version anything.
        said = f"{installed.said} cannot be imported: {type(error).__name__}: {error}"
        mend = f"pip install --force-reinstall {name}"
        if name == "torchvision":
            mend = "pip install --upgrade --force-reinstall torch torchvision"
        return Check("versions", name, "fail", said, mend)
    return installed


def _installed(name: str) -> Check:
    found = _version(name)
    if found is None:
        return Check("versions", name, "fail", "not installed", f"pip install {name}")
    return Check("versions", name, "ok", found)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
