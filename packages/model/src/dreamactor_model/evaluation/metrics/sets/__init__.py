"""Distances of two sets of clips, in the features of a network."""
