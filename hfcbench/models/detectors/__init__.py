"""Torchvision's detectors behind hfcbench's contract."""
