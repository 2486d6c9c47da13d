"""Built-in heuristics, one per module."""
