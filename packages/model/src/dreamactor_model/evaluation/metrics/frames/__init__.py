"""Measures of one frame against its truth."""
