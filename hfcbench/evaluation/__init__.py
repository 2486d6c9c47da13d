"""Evaluating one trained model under many conditions in one pass over its images."""
