"""Bug reports hold no secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from hfcbench.diagnosis.privacy import public


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:pa@ss:w0rd/x@host/db", "postgresql://me:***@host/db"),
        ("run --db postgresql+psycopg://me:x@h/db --seeds 2",
         "run --db postgresql+psycopg://me:***@h/db --seeds 2"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("git+https://ghp_abc@host/x.git", "git+https://***@host/x.git"),
        ("postgresql://h/db?user=me&password=x&sslmode=on",
         "postgresql://h/db?user=me&password=***&sslmode=on"),
        ("HF_TOKEN=abc PGPASSWORD=def ok", "HF_TOKEN=*** PGPASSWORD=*** ok"),
        ("seed=0 epochs=3", "seed=0 epochs=3"),
    ],
)  # fmt: skip
def test_passwords_and_tokens_are_masked(text, shown):
    assert public(text, homes=()) == shown


def test_the_home_folder_is_a_tilde():
    homes = (Path("/home/ada"), Path("/mnt/disk/home/ada"))
    assert public("/home/ada/a.db, '/home/ada'", homes=homes) == "~/a.db, '~'"
    assert public("/mnt/disk/home/ada/b", homes=homes) == "~/b"
    assert public("/home/adam/b /home/ada.old/c", homes=homes) == "/home/adam/b /home/ada.old/c"
    assert public("/home/ada/x", homes=(Path("/"),)) == "/home/ada/x"


def test_the_home_folder_is_that_of_the_system(monkeypatch, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "link")
    assert public(f"{tmp_path}/link/a {tmp_path}/real/b") == "~/a ~/b"
