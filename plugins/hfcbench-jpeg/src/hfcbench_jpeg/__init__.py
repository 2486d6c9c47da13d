"""JPEG compression as a defence for hfcbench."""
