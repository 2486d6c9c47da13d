"""Names of classes, short enough to stand below a small image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

_MOST_CHARACTERS = 12


def short_names(names: Sequence[str], most: int = _MOST_CHARACTERS) -> list[str]:
    """Each class's name in at most ``most`` characters, no two alike.

    Of synonyms with commas between them the first counts; underscores, and what cannot be printed,
    are spaces. What is too long ends in an ellipsis; names that are alike then have their class
    number behind them.
    """
    plain = [_plain(name.partition(",")[0]) for name in names]
    short = [_cut(name, most) for name in plain]
    counts = Counter(short)
    return [
        name if name and counts[name] == 1 else _numbered(whole, number, most)
        for number, (name, whole) in enumerate(zip(short, plain, strict=True))
    ]


def name_of(names: Sequence[str], number: int) -> str:
    """A class by its name, or by its number where it has none."""
    return names[number] if 0 <= number < len(names) else f"class {number}"


def _plain(name: str) -> str:
    letters = (" " if letter == "_" or not letter.isprintable() else letter for letter in name)
    return " ".join("".join(letters).split())


def _numbered(name: str, number: int, most: int) -> str:
    if not name:
        return f"class {number}"
    ending = f" #{number}"
    return _cut(name, most - len(ending)) + ending


def _cut(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
