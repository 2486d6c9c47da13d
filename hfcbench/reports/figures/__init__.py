"""Figures and tables of the paper's experiments, drawn from what a study holds."""
