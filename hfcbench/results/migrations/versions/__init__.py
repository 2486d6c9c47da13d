"""One module per schema revision, listed in :mod:`hfcbench.results.database.revisions`."""
