"""Where each part of a person is in a frame: flat pieces with an affine frame of their own, and a head that turns.

Legend: H W rows and columns, C channels.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index

from dreamactor_signals.plane import between_centers
from dreamactor_signals.visibility import SEEN
from dreamactor_signals.warp.parts import (
    HEAD,
    HEAD_REACH,
    LIMBS,
    NECK,
    NECK_RADIUS_M,
    TORSO,
    TORSO_RADIUS_M,
    Limb,
)

_NECK, _PELVIS = joint_index("neck"), joint_index("pelvis")
_SHOULDERS = [joint_index("left_shoulder"), joint_index("right_shoulder")]
_NEAR_M = 0.1
# A limb that points at the camera keeps this share of its thickness as length, a chest seen from the side of its width.
_LEAST_LENGTH, _LEAST_WIDTH = 0.5, 0.35
# Where no hips are seen: the trunk's length in widths of the shoulders.
_TRUNK = 1.4
# A torso is drawn behind what lies as deep; a neck and a torso behind the head.
_TORSO_DEPTH_M, _BEHIND_M = 0.05, 0.01
# A head that turns farther shows a side that the reference does not: it is turned as far as this.
_MOST_RAD = 0.7
# Over this many radii beyond the rim, the turning of the head fades.
_HAIR = 0.35
_HALF = np.array([0.5, 0.5])
# A body that the frame cuts off goes on as it is at the edge, as far as a part reaches, in radii.
_BEYOND = cv2.BORDER_REPLICATE
_REACH = 2.2


@dataclass(frozen=True, eq=False)
class Flat:
    """A flat part. Its own coordinates: s along the bone, 0 to 1; t across, -1 to 1.

    Attributes:
        origin_px, along_px, across_px: (2,) each; a point is origin + s along + t across.
        radius_px: how far the part reaches beyond its bone or rectangle.
        half_width: of the rectangle, in units of `across_px`; 0 for a limb.
        depth_m: from the camera.
    """

    origin_px: np.ndarray
    along_px: np.ndarray
    across_px: np.ndarray
    radius_px: float
    half_width: float
    depth_m: float

    def matrix(self) -> np.ndarray:
        """(3, 3) from the part's coordinates to pixels."""
        columns = np.column_stack([self.along_px, self.across_px, self.origin_px])
        return np.vstack([columns, [0, 0, 1]])

    def distance(self, pixels_HW2: np.ndarray) -> np.ndarray:
        """(H, W) from the bone or rectangle, in radii."""
        st_HW2 = (pixels_HW2 - self.origin_px) @ np.linalg.inv(self.matrix()[:2, :2]).T
        nearest_HW2 = np.stack(
            [st_HW2[..., 0].clip(0, 1), st_HW2[..., 1].clip(-self.half_width, self.half_width)], axis=-1
        )
        offset_HW2 = (st_HW2 - nearest_HW2) @ self.matrix()[:2, :2].T
        return np.asarray(np.linalg.norm(offset_HW2, axis=-1) / self.radius_px)

    def moved(self, piece_HWC: np.ndarray, now: "Placement") -> np.ndarray:
        """(H, W, C) a picture of the part, which is here, when it is there instead."""
        assert isinstance(now, Flat)
        sources = between_centers(self.matrix() @ np.linalg.inv(now.matrix()))
        size, flags = piece_HWC.shape[1::-1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved_HWC = cv2.warpAffine(piece_HWC, sources, size, flags=flags, borderMode=_BEYOND)
        shown_HW = cv2.warpAffine(np.ones(size[::-1], np.uint8), sources, size, flags=cv2.WARP_INVERSE_MAP)
        is_part_HW = (shown_HW > 0) | (now.distance(pixel_centers(size[::-1])) < _REACH)
        return np.asarray(moved_HWC * is_part_HW[..., None])


@dataclass(frozen=True, eq=False)
class Ball:
    """A head: a sphere that carries the picture of its front.

    Attributes:
        center_px: (2,).
        skull_px: radius.
        rotation: (3, 3) head to camera.
        depth_m: from the camera.
    """

    center_px: np.ndarray
    skull_px: float
    rotation: np.ndarray
    depth_m: float

    def distance(self, pixels_HW2: np.ndarray) -> np.ndarray:
        """(H, W) from the centre, 1 where hair and jaw end."""
        return np.asarray(np.linalg.norm(pixels_HW2 - self.center_px, axis=-1) / (HEAD_REACH * self.skull_px))

    def moved(self, piece_HWC: np.ndarray, now: "Placement") -> np.ndarray:
        """(H, W, C) a picture of the head, which is here, when it is there instead and turned.

        On the sphere, points go with it. Beyond its rim, hair goes as the rim does, less so the farther it is.
        """
        assert isinstance(now, Ball)
        sources_HW2 = (self._sources(now, pixel_centers(piece_HWC.shape[:2])) - _HALF).astype(np.float32)
        x_HW, y_HW = sources_HW2[..., 0], sources_HW2[..., 1]
        return np.asarray(cv2.remap(piece_HWC, x_HW, y_HW, cv2.INTER_LINEAR, borderMode=_BEYOND))

    def _sources(self, now: "Ball", pixels_HW2: np.ndarray) -> np.ndarray:
        roll, turn = _limited(self.rotation @ now.rotation.T)
        u_HW2 = (pixels_HW2 - now.center_px) / now.skull_px
        length_HW1 = np.linalg.norm(u_HW2, axis=-1, keepdims=True)
        on_HW2 = u_HW2 / np.maximum(length_HW1, 1)
        pull_HW1 = np.exp(-np.maximum(length_HW1 - 1, 0) / _HAIR)
        v_HW2 = u_HW2 @ roll.T + pull_HW1 * (_turned(on_HW2, turn) - on_HW2 @ roll.T)
        return np.asarray(self.center_px + self.skull_px * v_HW2)


Placement = Flat | Ball


def pixel_centers(shape: tuple[int, ...]) -> np.ndarray:
    """(H, W, 2) x and y of every pixel's centre; the frame's corner is 0, 0."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.stack([columns, rows], axis=-1) + 0.5


def place_parts(track: MotionTrack, frame: int) -> dict[str, Placement]:
    """Every part that is known in a frame."""
    joints_cam_m = track.joints_cam_m[frame].astype(np.float64)
    known = (track.joint_confidence[frame] >= SEEN) & (joints_cam_m[:, 2] > _NEAR_M)
    joints_px = track.project(joints_cam_m)
    placed: dict[str, Placement] = {}
    reaching = known | _beyond_frame(joints_cam_m, joints_px, track.frame_size)
    for limb in LIMBS:
        if known[limb.start] and reaching[limb.end]:
            placed[limb.name] = _limb(limb, joints_cam_m, joints_px, track.focal_px)
    if known[_SHOULDERS].all() and known[_NECK]:
        placed[TORSO] = _torso(joints_cam_m, joints_px, track.focal_px, hips=bool(known[_PELVIS]))
    center_cam_m = track.head_center_cam_m[frame].astype(np.float64)
    if track.head_confidence[frame] >= SEEN and center_cam_m[2] > _NEAR_M:
        center_px, depth_m = track.project(center_cam_m), float(center_cam_m[2])
        skull_px = float(track.head_radius_m[frame]) * track.focal_px / depth_m
        head = Ball(center_px, skull_px, track.head_rotation[frame].astype(np.float64), depth_m)
        placed[HEAD] = head
        if TORSO in placed:
            # Whoever leans back still shows the chin before the neck, and the neck before the collar.
            torso_depth_m = max(placed[TORSO].depth_m, depth_m + 2 * _BEHIND_M)
            placed[TORSO] = replace(placed[TORSO], depth_m=torso_depth_m)
            placed[NECK] = _neck(joints_px[_NECK], head, NECK_RADIUS_M * track.focal_px / depth_m)
    return placed


def _beyond_frame(joints_cam_m: np.ndarray, joints_px: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(J,) whether a joint, seen or not, is in front of the camera and outside of the picture."""
    is_inside = ((joints_px >= 0) & (joints_px <= size)).all(axis=-1)
    return np.asarray((joints_cam_m[:, 2] > _NEAR_M) & np.isfinite(joints_px).all(axis=-1) & ~is_inside)


def _limb(limb: Limb, joints_cam_m: np.ndarray, joints_px: np.ndarray, focal_px: float) -> Flat:
    depth_m = float(joints_cam_m[[limb.start, limb.end], 2].mean())
    return _bone(joints_px[limb.start], joints_px[limb.end], limb.radius_m * focal_px / depth_m, depth_m)


def _neck(collar_px: np.ndarray, head: Ball, radius_px: float) -> Flat:
    """From between the shoulders to where the jaw ends."""
    up_px = head.center_px - collar_px
    length_px = float(np.linalg.norm(up_px))
    jaw_px = collar_px + up_px * max(0.0, 1 - HEAD_REACH * head.skull_px / max(length_px, 1e-6))
    return _bone(collar_px, jaw_px, radius_px, head.depth_m + _BEHIND_M)


def _bone(start_px: np.ndarray, end_px: np.ndarray, radius_px: float, depth_m: float) -> Flat:
    along_px = _at_least(end_px - start_px, _LEAST_LENGTH * radius_px)
    across_px = _left_of(along_px) * radius_px / np.linalg.norm(along_px)
    return Flat(start_px, along_px, across_px, radius_px, 0.0, depth_m)


def _torso(joints_cam_m: np.ndarray, joints_px: np.ndarray, focal_px: float, *, hips: bool) -> Flat:
    left, right = _SHOULDERS
    depth_m = float(joints_cam_m[[_NECK, _PELVIS] if hips else [_NECK], 2].mean()) + _TORSO_DEPTH_M
    pixels_per_m = focal_px / float(joints_cam_m[_NECK, 2])
    width_px = float(np.linalg.norm(joints_cam_m[left] - joints_cam_m[right])) * pixels_per_m
    shoulders_px = joints_px[left] - joints_px[right]
    if hips:
        along_px = joints_px[_PELVIS] - joints_px[_NECK]
    else:
        # Down is a quarter turn from the person's right to the left, seen from the front.
        along_px = _left_of(_at_least(shoulders_px, 1.0))
        along_px = along_px / np.linalg.norm(along_px) * np.copysign(_TRUNK * width_px, along_px[1])
    along_px = _at_least(along_px, _LEAST_LENGTH * width_px)
    normal_px = -_left_of(along_px) / np.linalg.norm(along_px)
    wide_px = float(shoulders_px @ normal_px) / 2
    least_px = _LEAST_WIDTH * width_px / 2
    across_px = normal_px * np.copysign(max(abs(wide_px), least_px), wide_px)
    return Flat(joints_px[_NECK], along_px, across_px, TORSO_RADIUS_M * pixels_per_m, 1.0, depth_m)


def _at_least(vector_px: np.ndarray, length_px: float) -> np.ndarray:
    """The vector, made longer where it is shorter; down where it has no direction."""
    length = float(np.linalg.norm(vector_px))
    if length < 1e-6:
        return np.array([0.0, length_px])
    return vector_px * max(1.0, length_px / length)


def _left_of(vector_px: np.ndarray) -> np.ndarray:
    """A quarter turn from x to y."""
    return np.array([-vector_px[1], vector_px[0]])


def _turned(on_HW2: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Points of the unit disc as points of the sphere's near half, turned; at the rim if they end on the far half."""
    near_HW1 = -np.sqrt((1 - np.square(on_HW2).sum(axis=-1, keepdims=True)).clip(min=0))
    turned_HW3 = np.concatenate([on_HW2, near_HW1], axis=-1) @ turn.T
    flat_HW2 = turned_HW3[..., :2]
    length_HW1 = np.linalg.norm(flat_HW2, axis=-1, keepdims=True)
    return np.where(turned_HW3[..., 2:] <= 0, flat_HW2, flat_HW2 / np.maximum(length_HW1, 1e-9))


def _limited(turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(2, 2) what a turn does in the picture, and (3, 3) the turn, no farther out of the picture than is drawn."""
    angle_rad = np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1])
    roll = cv2.Rodrigues(np.array([0, 0, angle_rad]))[0]
    swing = cv2.Rodrigues(turn @ roll.T)[0]
    swing *= min(1.0, _MOST_RAD / max(float(np.linalg.norm(swing)), 1e-9))
    return roll[:2, :2], np.asarray(cv2.Rodrigues(swing)[0] @ roll)
