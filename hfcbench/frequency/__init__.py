"""Frequency splits of image batches: pure functions of tensors, nothing is registered here."""
