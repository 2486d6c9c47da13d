"""Connections to SQLite and PostgreSQL: opening, upgrading, explaining what went wrong."""
