"""Decoded datasets on disk: memory-mapped uint8 arrays with a manifest that proves them."""

from hfcbench.image_cache.opening import CachedDataset, open_dataset

__all__ = ["CachedDataset", "open_dataset"]
