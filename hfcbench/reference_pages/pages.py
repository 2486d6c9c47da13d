"""Which pages there are, and whether those in a folder are what the code says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from hfcbench.reference_pages.built_ins import built_ins_page
from hfcbench.reference_pages.commands import commands_page
from hfcbench.reference_pages.database import database_page
from hfcbench.reference_pages.errors import errors_page
from hfcbench.reference_pages.hooks import hooks_page
from hfcbench.reference_pages.suite_files import suite_files_page

FOLDER = Path("docs/reference")

PAGES: Mapping[str, Callable[[], str]] = {
    "built-ins.md": built_ins_page,
    "cli.md": commands_page,
    "errors.md": errors_page,
    "hooks.md": hooks_page,
    "schema.md": database_page,
    "suite-files.md": suite_files_page,
}


def write(folder: Path) -> list[Path]:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (folder / name).write_text(make(), encoding="utf-8")
    return [folder / name for name in PAGES]


def drifted(folder: Path) -> list[str]:
    """The names of pages that are missing, or not what the code says."""
    return [name for name, make in PAGES.items() if _text(folder / name) != make()]


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
