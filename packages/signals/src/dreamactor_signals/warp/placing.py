"""Where each part of a person is in a frame: flat pieces with an affine frame of their own, and a head that turns."""

from dataclasses import replace
from typing import Any

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import joint_index
from dreamactor_core.surfaces import BODY_SURFACES

from dreamactor_signals.visibility import SEEN
from dreamactor_signals.warp.flat import Flat
from dreamactor_signals.warp.head import Head
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
# How long a limb is, in radii.
_HANGING = 4.5
# Where no hips are seen: the trunk's length in widths of the shoulders.
_TRUNK = 1.4
# A torso is drawn behind what lies as deep; a neck and a torso behind the head.
_TORSO_DEPTH_M, _BEHIND_M = 0.05, 0.01

Placement = Flat | Head


def place_parts(track: MotionTrack, frame: int, *, stumps: bool = False) -> dict[str, Placement]:
    """Every part that is known in a frame.

    Args:
        track, frame: whose.
        stumps: whether limbs hang out of the picture from joints that are seen where nothing else is known of them.
    """
    joints_cam_m = track.joints_cam_m[frame].astype(np.float64)
    known = (track.joint_confidence[frame] >= SEEN) & (joints_cam_m[:, 2] > _NEAR_M)
    joints_px = track.project(joints_cam_m)
    placed: dict[str, Placement] = {}
    reaching = known | _beyond_frame(joints_cam_m, joints_px, track.frame_size)
    for limb in LIMBS:
        if known[limb.start] and reaching[limb.end]:
            placed[limb.name] = _limb(limb, joints_cam_m, joints_px, track.focal_px, is_guess=not known[limb.end])
        elif stumps and known[limb.start] and (stump := _stump(limb, joints_cam_m, joints_px, track)) is not None:
            placed[limb.name] = stump
    if known[_SHOULDERS].all() and known[_NECK]:
        placed[TORSO] = _torso(joints_cam_m, joints_px, track.focal_px, hips=bool(known[_PELVIS]))
    center_cam_m = track.head_center_cam_m[frame].astype(np.float64)
    if track.head_confidence[frame] >= SEEN and center_cam_m[2] > _NEAR_M:
        center_px, depth_m = track.project(center_cam_m), float(center_cam_m[2])
        skull_px = float(track.head_radius_m[frame]) * track.focal_px / depth_m
        rotation = track.head_rotation[frame].astype(np.float64)
        head = Head(center_px, skull_px, rotation, depth_m, **_face(track, frame))
        placed[HEAD] = head
        if TORSO in placed:
            # Whoever leans back still shows the chin before the neck, and the neck before the collar.
            torso_depth_m = max(placed[TORSO].depth_m, depth_m + 2 * _BEHIND_M)
            placed[TORSO] = replace(placed[TORSO], depth_m=torso_depth_m)
            placed[NECK] = _neck(joints_px[_NECK], head, NECK_RADIUS_M * track.focal_px / depth_m)
    return {name: _moving(name, place, track, frame) for name, place in placed.items()}


def _moving(name: str, place: Placement, track: MotionTrack, frame: int) -> Placement:
    """With what is known of how its surface goes beyond its bone."""
    if track.surface_motion is None or not isinstance(place, Flat):
        return place
    return replace(place, motion_2K=track.surface_motion[frame, BODY_SURFACES.index(name)])


def _face(track: MotionTrack, frame: int) -> dict[str, Any]:
    """What is known of a head's face, by the names of `Head`."""
    if track.face_confidence[frame] < SEEN:
        return {}
    units = None if track.face_units is None else track.face_units[frame].astype(np.float64)
    return {"units": units, "face_box_px": track.face_boxes_px[frame].astype(np.float64)}


def _beyond_frame(joints_cam_m: np.ndarray, joints_px: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(J,) whether a joint, seen or not, is in front of the camera and outside of the picture."""
    is_inside = ((joints_px >= 0) & (joints_px <= size)).all(axis=-1)
    return np.asarray((joints_cam_m[:, 2] > _NEAR_M) & np.isfinite(joints_px).all(axis=-1) & ~is_inside)


def _limb(limb: Limb, joints_cam_m: np.ndarray, joints_px: np.ndarray, focal_px: float, *, is_guess: bool) -> Flat:
    ends = [limb.start] if is_guess else [limb.start, limb.end]
    depth_m = float(joints_cam_m[ends, 2].mean())
    bone = _bone(joints_px[limb.start], joints_px[limb.end], limb.radius_m * focal_px / depth_m, depth_m)
    return replace(bone, is_guess=is_guess)


def _stump(limb: Limb, joints_cam_m: np.ndarray, joints_px: np.ndarray, track: MotionTrack) -> Flat | None:
    """A limb of whose end nothing is known, if it leaves the picture where it hangs down."""
    depth_m, start_px = float(joints_cam_m[limb.start, 2]), joints_px[limb.start]
    radius_px = limb.radius_m * track.focal_px / depth_m
    end_px = start_px + np.array([0.0, _HANGING * radius_px])
    if end_px[1] <= track.frame_size[1]:
        return None
    return replace(_bone(start_px, end_px, radius_px, depth_m), is_guess=True)


def _neck(collar_px: np.ndarray, head: Head, radius_px: float) -> Flat:
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
