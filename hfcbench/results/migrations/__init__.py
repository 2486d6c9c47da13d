"""Alembic's environment and revisions; they are part of the package."""
