"""A static site of a results database: read, made into page models, rendered, written."""
