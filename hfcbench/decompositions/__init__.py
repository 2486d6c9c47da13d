"""The built-in decompositions, each declared through the same hook as a plugin's."""
