"""The results that are published with a project: whether they are fit for it, and their pages."""
