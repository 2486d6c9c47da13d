"""The executor ray for hfcbench."""
