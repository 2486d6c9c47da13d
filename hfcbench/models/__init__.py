"""Built-in models: one declaring module per family, their torch code in ``architectures``."""
