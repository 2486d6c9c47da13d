"""The attack engine: balls, gradients, steps, worst cases, and how far to trust a robust score."""
