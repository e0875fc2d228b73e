"""How a camera moves over a clip: slow pans, tilts, approaches, and a hand that is never quite still.

Legend: T frames.
"""

from dataclasses import dataclass, replace

import numpy as np

from dreamactor_dataset.synthetic.motion.curves import wander
from dreamactor_dataset.synthetic.render.camera import Camera
from dreamactor_dataset.synthetic.render.lights import Lights

# Shares of the frame that a pan and a tilt travel, of the distance that an approach travels; radians around the person.
_PAN, _TILT, _APPROACH, _ORBIT_RAD = 0.05, 0.03, 0.10, 0.16
_HAND = 0.0025
_STILL_SHARE, _HELD_SHARE = 0.4, 0.35
# What is far behind the person comes less near than the person does.
_FAR_SHARE = 0.35


@dataclass(frozen=True)
class CameraMove:
    """Where the camera is, against where it stands in the middle of the clip.

    Attributes:
        pan_rad, tilt_rad: (T,) it looks to the right, up.
        nearness: (T,) distances are divided by it.
        orbit_rad: (T,) it stands further round to the person's left.
    """

    pan_rad: np.ndarray
    tilt_rad: np.ndarray
    nearness: np.ndarray
    orbit_rad: np.ndarray


def draw_move(random: np.random.Generator, frame_count: int, field_rad: float, room: float) -> CameraMove:
    """A move; many cameras stand still.

    Args:
        field_rad: what the camera sees from side to side.
        room: how much of the moves above the framing can bear, 0 to 1; below 1 the camera never comes nearer.
    """
    reach = 0.0 if random.random() < _STILL_SHARE else room
    progress = np.linspace(-0.5, 0.5, frame_count) * random.choice((-1.0, 1.0))
    amounts = random.uniform(-1, 1, 4) * reach
    hand = _HAND * room if random.random() < _HELD_SHARE else 0.0
    pan, tilt = (
        field_rad * (amount * share * progress + wander(random, frame_count, 45, hand))
        for amount, share in zip(amounts, (_PAN, _TILT), strict=False)
    )
    approach = _APPROACH * amounts[2] * progress
    if room < 1:
        approach = approach - np.abs(approach).max()
    return CameraMove(pan, tilt, 1 + approach, _ORBIT_RAD * amounts[3] * progress)


def moved_camera(camera: Camera, target_m: np.ndarray, move: CameraMove, frame: int) -> Camera:
    """The camera of a frame; it circles around a point (3,), body axes."""
    orbit = _about_y(move.orbit_rad[frame])
    center_m = target_m + orbit @ (camera.center_m - target_m) / move.nearness[frame]
    return replace(camera, rotation=_look(move, frame) @ camera.rotation @ orbit.T, center_m=center_m)


def moved_lights(lights: Lights, camera: Camera, moved: Camera) -> Lights:
    """Lights stay where they are in the room: in the axes of the moved camera."""
    turn = moved.rotation @ camera.rotation.T
    return replace(lights, key_direction=turn @ lights.key_direction, fill_direction=turn @ lights.fill_direction)


def moved_background(
    plate: np.ndarray, camera: Camera, move: CameraMove, frame: int, size: tuple[int, int]
) -> np.ndarray:
    """What the camera sees of a plate (H', W', 3) that is larger than its frame: (height, width, 3).

    Args:
        size: width and height of what is returned, in the plate's pixels.
    """
    import cv2

    width, height = size
    pixels_a_rad = camera.focal_px * width / camera.size[0]
    scale, right, down = _far_view(move, frame)
    right_px, down_px = pixels_a_rad * right, pixels_a_rad * down
    # From a pixel of the frame to one of the plate: both are centred on each other.
    middle = np.array((plate.shape[1], plate.shape[0])) / 2 + (right_px, down_px)
    inverse = np.array(((1 / scale, 0, middle[0] - width / 2 / scale), (0, 1 / scale, middle[1] - height / 2 / scale)))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plate, inverse, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def scenery_motion(move: CameraMove, frame: int) -> np.ndarray:
    """(2, 3) where the camera sees the plate: the truth that belongs to `moved_background`, in the image plane."""
    scale, right, down = _far_view(move, frame)
    return np.array(((scale, 0, -scale * right), (0, scale, -scale * down)))


def _far_view(move: CameraMove, frame: int) -> tuple[float, float, float]:
    """How much larger what is far away is seen, and how far right and down the camera looks on it: tangents."""
    scale = 1 + _FAR_SHARE * (move.nearness[frame] - 1)
    return scale, np.tan(move.pan_rad[frame] - move.orbit_rad[frame]), -np.tan(move.tilt_rad[frame])


def _about_y(angle_rad: float) -> np.ndarray:
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array(((cos, 0, sin), (0, 1, 0), (-sin, 0, cos)))


def _look(move: CameraMove, frame: int) -> np.ndarray:
    """Camera axes to those of the camera that looks to the right and up."""
    tilt = move.tilt_rad[frame]
    cos, sin = np.cos(tilt), np.sin(tilt)
    return np.array(((1, 0, 0), (0, cos, sin), (0, -sin, cos))) @ _about_y(-move.pan_rad[frame])
