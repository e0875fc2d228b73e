"""Eyes of the head's surface: how far the lids are open, and where the eyeball behind them looks.

The average face's units move lids by what landmarks of many people do on average, which leaves closed eyes half open.
Here a blink moves the upper lid down to the lower one, and the eyeball stays, or turns with the gaze.

Lengths are in radii of the skull, in head coordinates. Legend: V vertices, U face units, R points of a rim, S = 2
sides: the person's right eye, then the left one.
"""

import numpy as np
from dreamactor_core.face_units import ARKIT_UNITS

SIDES = ("Right", "Left")
# From corner to corner among the face's points.
_UPPER = (
    (246, 161, 160, 159, 158, 157, 173),
    (466, 388, 387, 386, 385, 384, 398),
)
_LOWER = (
    (7, 163, 144, 145, 153, 154, 155),
    (249, 390, 373, 374, 380, 381, 382),
)
_CORNERS = ((33, 133), (263, 362))
RIMS = tuple((*upper, *lower, *corners) for upper, lower, corners in zip(_UPPER, _LOWER, _CORNERS, strict=True))
"""Of each eye, the face's points around its opening."""
# How far an eye is open at readings of a blink: the height of its opening by its width, of synthetic people, by the
# height of eyes that are wide open.
_BLINKS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 0.75, 1.0)
_OPENNESS = (1.0, 0.93, 0.83, 0.71, 0.6, 0.43, 0.19, 0.07, 0.02)
# That of the average face at rest.
_AT_REST = 0.7
# An eye that is less open shows too little of itself to say how far it opens.
_LEAST_OPEN = 0.4
# How far an iris goes at a full reading: an eyeball of 12 mm that turns by half a radian.
_GAZE = 0.08
# Eyes that the reference keeps closed: brown ones. Radii of pupil and iris.
_PUPIL, _IRIS, _SOFT = 0.025, 0.07, 0.02
_PUPIL_RGB, _IRIS_RGB, _WHITE_RGB = np.array([[20.0, 15, 15], [75, 50, 35], [165, 152, 146]])


def openness(units: np.ndarray) -> np.ndarray:
    """(S,) how far the eyes are open, 1 wide open, 0 closed."""
    blinks = units[[ARKIT_UNITS.index(f"eyeBlink{side}") for side in SIDES]]
    return np.asarray(np.interp(blinks, _BLINKS, _OPENNESS))


def gaze(units: np.ndarray) -> np.ndarray:
    """(S, 3) how far the irises are from the middle."""

    def read(name: str) -> np.ndarray:
        return np.asarray(units[[ARKIT_UNITS.index(f"eye{name}{side}") for side in SIDES]])

    # Outward is to the picture's left for the right eye of a head that faces the camera.
    across = (read("LookOut") - read("LookIn")) * (-1, 1)
    return _GAZE * np.stack([across, read("LookDown") - read("LookUp"), np.zeros(len(SIDES))], axis=1)


def move_lids(
    now_V3: np.ndarray, here_V3: np.ndarray, average_V3: np.ndarray, units_now: np.ndarray, units_here: np.ndarray
) -> np.ndarray:
    """(V, 3) the points of now, upper lids as far above the lower ones as the eyes are open.

    Args:
        here_V3: of the same face with the other units, which show how far its eyes open.
        average_V3: of the average face at rest, for eyes that are closed there.
    """
    moved_V3 = now_V3.copy()
    for upper, lower, share_now, share_here in zip(
        _UPPER, _LOWER, openness(units_now), openness(units_here), strict=True
    ):
        shown_R3 = here_V3[list(upper)] - here_V3[list(lower)]
        if share_here > _LEAST_OPEN:
            open_R3 = shown_R3 / share_here
        else:
            open_R3 = (average_V3[list(upper)] - average_V3[list(lower)]) / _AT_REST
        moved_V3[list(upper)] = now_V3[list(lower)] + shown_R3 + (share_now - share_here) * open_R3
    return moved_V3


def eye_centers(points_V3: np.ndarray) -> np.ndarray:
    """(S, 3) halfway between the corners, which lids do not move."""
    return np.stack([points_V3[list(corners)].mean(axis=0) for corners in _CORNERS])


def newly_seen(units_now: np.ndarray, units_here: np.ndarray) -> np.ndarray:
    """(S,) how much of the eyes is seen of which a picture with the other units shows nothing, 0 to 1."""
    now, here = openness(units_now), openness(units_here)
    return np.asarray((1 - here / _LEAST_OPEN).clip(0, 1) * (1 - here / now).clip(0, 1))


def draw_eyes(iris_HW2: np.ndarray) -> np.ndarray:
    """(H, W, 4) eyes that nobody has seen: RGB, and 1.

    Args:
        iris_HW2: how far right and down from the iris a pixel is.
    """
    far_HW1 = np.linalg.norm(iris_HW2, axis=-1, keepdims=True)
    in_pupil, in_iris = (((radius - far_HW1) / _SOFT + 0.5).clip(0, 1) for radius in (_PUPIL, _IRIS))
    rgb_HW3 = _WHITE_RGB + in_iris * (_IRIS_RGB - _WHITE_RGB) + in_pupil * (_PUPIL_RGB - _IRIS_RGB)
    return np.concatenate([rgb_HW3, np.ones_like(far_HW1)], axis=-1)
