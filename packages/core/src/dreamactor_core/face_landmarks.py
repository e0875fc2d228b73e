"""Landmarks of faces: the pupils, and points that keep their place on the skin, so that they tell how it moves.

The first half are those of the person's left side, the left pupil first; the second half are their mirror images in the
same order. Points of the middle are in both.
"""

import numpy as np

LANDMARKS_A_SIDE = 83
LANDMARK_COUNT = 2 * LANDMARKS_A_SIDE

MIRRORED_LANDMARKS: np.ndarray = np.roll(np.arange(LANDMARK_COUNT), LANDMARKS_A_SIDE)
"""(Q,) int64 for each landmark the one that stands in its place in a mirror image."""
