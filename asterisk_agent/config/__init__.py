"""The operator's YAML, read once into frozen objects."""
