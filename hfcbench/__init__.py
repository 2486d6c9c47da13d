"""hfcbench: how much of a vision model's score rests on low- and on high-frequency components."""

from hfcbench.hookspecs import hookimpl
from hfcbench.results.opening import open_store
from hfcbench.version import __version__

__all__ = ["__version__", "hookimpl", "open_store"]
