"""Where a report may be written, and what a second one leaves."""

from __future__ import annotations

import json

import pytest

from hfcbench.errors import UsageError
from hfcbench.reports.site.folder import MARKER, check_folder, write_folder

PAGES = {"index.html": b"first", "trainings/a.html": b"a", "trainings/b.html": b"b"}


def contents(folder):
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != MARKER)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_a_new_report_replaces_a_former_one_and_its_stale_pages(tmp_path):
    out = tmp_path / "deep" / "site"
    check_folder(out, force=False)
    write_folder(out, PAGES)
    assert contents(out) == PAGES
    check_folder(out, force=False)
    write_folder(out, {"index.html": b"second"})
    assert contents(out) == {"index.html": b"second"}
    assert not (out / "trainings").exists()
    assert [path.name for path in out.parent.iterdir()] == ["site"]


def test_files_of_others_are_no_place_for_a_report_without_force(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="files that are of no report") as caught:
        check_folder(tmp_path, force=False)
    assert "--force" in str(caught.value)
    check_folder(tmp_path, force=True)
    write_folder(tmp_path, PAGES)
    write_folder(tmp_path, {"index.html": b"second"})
    assert contents(tmp_path) == {"index.html": b"second", "thesis.tex": b"mine"}


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "site").write_text("")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        check_folder(tmp_path / "site", force=True)


def test_a_folder_that_cannot_be_made_is_one_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written to"):
        write_folder(tmp_path / "file" / "site", PAGES)


@pytest.mark.parametrize("name", ["../thesis.tex", "/thesis.tex", "a/../../thesis.tex", "..\\x"])
def test_a_marker_that_was_tampered_with_removes_nothing_outside(tmp_path, name):
    out = tmp_path / "site"
    write_folder(out, PAGES)
    (tmp_path / "thesis.tex").write_text("mine")
    (out / MARKER).write_text(json.dumps({"files": [name, 7]}))
    write_folder(out, {"index.html": b"second"})
    assert (tmp_path / "thesis.tex").read_text() == "mine"
    # What the marker no longer names is nobody's, and stays.
    assert contents(out) == {**PAGES, "index.html": b"second"}


@pytest.mark.parametrize("text", ["", "[]", '{"files": 3}', "{}"])
def test_a_broken_marker_is_that_of_no_files(tmp_path, text):
    write_folder(tmp_path, PAGES)
    (tmp_path / MARKER).write_text(text)
    write_folder(tmp_path, {"index.html": b"second"})
    assert contents(tmp_path) == {**PAGES, "index.html": b"second"}
