"""Object detection: what one node of a plan does with pictures, detectors and detections."""
