"""What the landmark network gets wrong about heads, measured once, and put right in every frame.

The network sees faces nod by four fifths of their true nod, and every face a little more like the average one. Both
show in how the landmarks, laid upon the average face, differ from it. So a linear map from that difference (its
principal components) and from the head's angles to what was wrong was fitted to synthetic people, whose heads are known
exactly: `python -m benchmarks.signals_parts.calibrate_head` writes the file beside this one. The people whom the
benchmark measures it on are others.

Legend: N frames, V vertices, K principal components, F terms, A = 3 angles (roll, nod, yaw).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import load_tensors

from dreamactor_signals.average_face import AverageFace, average_face
from dreamactor_signals.rotations import align

CALIBRATION_FILE = Path(__file__).with_name("head_calibration.safetensors")

# Beyond what was calibrated, corrections stay as they are at its edge.
_MOST_RAD = np.array([0.6, 0.8, 1.25])
_MOST_DEVIATIONS = 3.0


@dataclass(frozen=True)
class Correction:
    """What one frame's landmarks say of the head, corrected.

    Attributes:
        rotation: (3, 3) head coordinates to the camera that looks along the head's ray.
        center_px: (2,) of the skull.
        radius_px: of the skull.
    """

    rotation: np.ndarray
    center_px: np.ndarray
    radius_px: float


@dataclass(frozen=True)
class HeadCalibration:
    """The map from a frame's deviation from the average face to corrections.

    Attributes:
        face: the average face.
        rigid_indices, rigid_weights: landmarks that move little with expression.
        components: (K, 3V) of the deviation from the average face, in metres, each scaled to unit variance.
        mean_deviation_m: (3V,).
        weights: (F, A + 3) to angles, relative radius and centre in metres.
        gains: (A,) by which corrected angles are stretched: regression shrinks them.
        body_by_angles: (12, D) how far the body's face points lie from the head's, by its angles (see `head_place`).
        place_weights: (12 + 2D, 2) from terms of that to the skull's shift across and down the head, in radii.
    """

    face: AverageFace
    rigid_indices: np.ndarray
    rigid_weights: np.ndarray
    components: np.ndarray
    mean_deviation_m: np.ndarray
    weights: np.ndarray
    gains: np.ndarray
    body_by_angles: np.ndarray
    place_weights: np.ndarray

    def lay_upon(self, seen_px: np.ndarray) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
        """Lay the average face upon landmarks seen.

        Args:
            seen_px: (V, 3) x, y and depth in pixels.

        Returns:
            (3, 3) rotation, pixels per metre, (2,) pixels of the skull's centre, and (3V,) what the landmarks deviate,
            in metres of head coordinates.
        """
        share = self.rigid_weights / self.rigid_weights.sum()
        canonical, rigid_px = self.face.points_head_m[self.rigid_indices], seen_px[self.rigid_indices]
        turn, pixels_per_m = align(canonical, rigid_px, self.rigid_weights)
        middle_m, middle_px = share @ canonical, share @ rigid_px
        center_px = middle_px - pixels_per_m * turn @ middle_m
        deviation_m = ((seen_px - middle_px) / pixels_per_m) @ turn - (self.face.points_head_m - middle_m)
        return turn, pixels_per_m, center_px[:2], deviation_m.ravel()

    def correct(self, seen_px: np.ndarray) -> Correction:
        """The head of one frame's landmarks, (V, 3) x, y and depth in pixels, as seen along its own ray."""
        turn, pixels_per_m, center_px, deviation_m = self.lay_upon(seen_px)
        angles_rad = roll_nod_yaw(turn[None])
        scores = self.components @ (deviation_m - self.mean_deviation_m)
        wrong = (terms(angles_rad, scores[None]) @ self.weights)[0]
        return Correction(
            rotation_of_roll_nod_yaw((angles_rad[0] + wrong[:3]) * self.gains),
            center_px + pixels_per_m * wrong[4:],
            pixels_per_m * self.face.skull_radius_m * (1 + float(wrong[3])),
        )


@cache
def head_calibration() -> HeadCalibration:
    """The calibration that ships with the package.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    tensors, _ = load_tensors(CALIBRATION_FILE, error=WeightsError)
    indices = tensors.pop("rigid_indices").astype(np.int64)
    values = {name: tensor.astype(np.float64) for name, tensor in tensors.items()}
    return HeadCalibration(face=average_face(), rigid_indices=indices, **values)


def terms(angles_rad: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """(N, F) what corrections are linear in.

    Args:
        angles_rad: (N, A).
        scores: (N, K) of the deviation's components.
    """
    roll, nod, yaw = np.clip(angles_rad, -_MOST_RAD, _MOST_RAD).T
    scores = np.clip(scores, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)
    products = (yaw * yaw, nod * nod, roll * nod, yaw * nod, yaw * roll, yaw**3, nod * yaw * yaw, roll * yaw * yaw)
    turned = np.stack([np.ones_like(roll), roll, nod, yaw, *products], axis=1)
    return np.concatenate([turned, scores, scores * yaw[:, None], scores * nod[:, None]], axis=1)


def roll_nod_yaw(rotation: np.ndarray) -> np.ndarray:
    """(..., A) angles of rotations (..., 3, 3): about the image's axes for roll and nod, about the head's for yaw.

    What a camera sees badly is how far a head nods towards it, whichever way the head is turned; hence this order.
    """
    nod_rad = np.arcsin(np.clip(rotation[..., 2, 1], -1, 1))
    roll_rad = np.arctan2(-rotation[..., 0, 1], rotation[..., 1, 1])
    yaw_rad = np.arctan2(-rotation[..., 2, 0], rotation[..., 2, 2])
    return np.stack([roll_rad, nod_rad, yaw_rad], axis=-1)


def rotation_of_roll_nod_yaw(angles_rad: np.ndarray) -> np.ndarray:
    """(3, 3) rotation of (A,) angles."""
    (sr, sn, sy), (cr, cn, cy) = np.sin(angles_rad), np.cos(angles_rad)
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    nod = np.array([[1, 0, 0], [0, cn, -sn], [0, sn, cn]])
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return np.asarray(roll @ nod @ yaw)
