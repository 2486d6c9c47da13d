"""What the tables, views and columns of a results database mean, in words."""

from hfcbench.results.meanings.reading import column_meanings, meaning_of_column, view_meanings

__all__ = ["column_meanings", "meaning_of_column", "view_meanings"]
