"""A web page to explore a results database with: Datasette, read-only, with ready queries."""
