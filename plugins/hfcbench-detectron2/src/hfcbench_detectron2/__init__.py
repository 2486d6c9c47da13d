"""The detectors of detectron2 for hfcbench."""
