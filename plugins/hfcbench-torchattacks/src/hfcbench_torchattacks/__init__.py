"""The attacks of torchattacks for hfcbench."""
