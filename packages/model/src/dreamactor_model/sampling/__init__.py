"""Sampling videos of any length (paper 4.1): read `segments.py`, `solver.py`, `stream.py`, in that order."""
