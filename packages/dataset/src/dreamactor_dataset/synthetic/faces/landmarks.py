"""Which vertices of a figure's face are its landmarks (`core.face_landmarks`).

Legend: N vertices, Q landmarks.
"""

import numpy as np
from dreamactor_core.face_landmarks import LANDMARKS_A_SIDE

from dreamactor_dataset.synthetic.figure.figure import Figure

# Template decimetres; vertices of the middle are on both sides.
_MIDDLE_DM = 1e-3


def landmark_rows(figure: Figure) -> np.ndarray:
    """(Q,) rows of a figure's vertices; the same places on everyone.

    Taken evenly from the order of the mesh, which is dense where faces move: around eyes and mouth.
    """
    skin = figure.face
    place_dm = figure.place[skin]
    left = np.flatnonzero(place_dm[:, 0] >= -_MIDDLE_DM)
    chosen = left[np.linspace(0, len(left) - 1, LANDMARKS_A_SIDE - 1).round().astype(int)]
    return np.concatenate([[figure.eyes[0]], skin[chosen], [figure.eyes[1]], skin[_mirrored(place_dm, chosen)]])


def _mirrored(place_dm: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The vertices that lie where the chosen ones are in a mirror; the template is symmetric."""
    wanted_dm = place_dm[chosen] * np.array((-1, 1, 1), place_dm.dtype)
    distance = np.linalg.norm(place_dm[None] - wanted_dm[:, None], axis=2)
    return np.asarray(distance.argmin(axis=1))
