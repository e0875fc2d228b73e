"""Clips that look alike although their bytes differ: encoded again, scaled, or cropped a little.

Read in this order: `pictures` (what is kept of a clip's look), `likeness` (are two the same?), `search` (among all).
"""
