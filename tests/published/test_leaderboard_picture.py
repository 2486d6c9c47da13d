"""`hfcbench leaderboard --out` draws the leaderboard that it prints."""

from __future__ import annotations

from PIL import Image

from hfcbench.cli.main import call


def test_it_is_drawn_in_both_themes_and_formats(compacted, tmp_path, capsys):
    light, dark = tmp_path / "light.svg", tmp_path / "dark.png"
    assert call(["leaderboard", "--db", str(compacted), "--out", str(light)]) == 0
    captured = capsys.readouterr()
    assert f"drawn: {light}" in captured.err
    assert "lenet5" in captured.out
    drawn = light.read_text(encoding="utf-8")
    assert "Leaderboard: photo-patches" in drawn
    assert "quick scale (reduced)" in drawn
    arguments = ["--format", "csv", "--out", str(dark), "--theme", "dark"]
    assert call(["leaderboard", "--db", str(compacted), *arguments]) == 0
    with Image.open(dark) as image:
        assert max(image.convert("RGB").getpixel((2, 2))) < 40


def test_an_unknown_format_is_refused_before_anything_is_printed(compacted, tmp_path, capsys):
    out = tmp_path / "board.gif"
    assert call(["leaderboard", "--db", str(compacted), "--out", str(out)]) == 2
    captured = capsys.readouterr()
    assert ".png or .svg" in captured.err
    assert captured.out == ""


def test_rows_that_are_not_there_cannot_be_drawn(compacted, tmp_path, capsys):
    out = tmp_path / "board.png"
    arguments = ["--model", "absent", "--out", str(out)]
    assert call(["leaderboard", "--db", str(compacted), *arguments]) == 2
    assert "nothing to draw" in capsys.readouterr().err
    assert not out.exists()
