"""Whole databases: copied, checked, merged, exported and imported."""
