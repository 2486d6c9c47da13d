"""Training one model: from images and a recipe to weights and curves."""
