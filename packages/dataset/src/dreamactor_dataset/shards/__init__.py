"""Clips in a few large files: tar archives of safetensors, an index over them, and what happens when one is damaged."""
