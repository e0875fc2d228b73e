"""Stages 1, 2, 3: the transformer."""
