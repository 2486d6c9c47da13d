"""Carrying on where memory runs out: a model answers in parts, and the result is the same."""
