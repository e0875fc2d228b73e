"""Measures of what changes over time and should not."""
