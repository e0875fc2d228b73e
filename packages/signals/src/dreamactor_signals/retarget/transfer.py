"""Partial transfer: what the driving person does not move keeps the reference's own pose.

Hands that stay follow the forearm that carries them, a head that stays the chest; a head that moves on a body that
stays turns on that body's neck.

Legend: T video frames, J joints.
"""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.retarget import Part
from dreamactor_core.skeleton import LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS, joint_index

from dreamactor_signals.retarget.rebuild import NECK, PELVIS
from dreamactor_signals.rotations import shortest_rotation, unit

_HANDS = (("left", LEFT_HAND_JOINTS), ("right", RIGHT_HAND_JOINTS))


def still(reference: MotionTrack, driving: MotionTrack) -> MotionTrack:
    """The reference's first pose, held for as long as the driving clip lasts."""
    frames = np.zeros(len(driving), dtype=np.int64)
    return replace(reference[frames], fps=driving.fps, trackers=driving.trackers, source_sha256=driving.source_sha256)


def combine(performed: MotionTrack, own: MotionTrack, transfer: Collection[Part]) -> MotionTrack:
    """The performance in the parts that are transferred, the reference's own pose in the others.

    Args:
        performed: T frames, everything retargeted.
        own: T frames of the reference's pose, in the same camera.
        transfer: of face, head, body and hands.
    """
    body = performed if "body" in transfer else own
    joints_cam_m, confidence = body.joints_cam_m.copy(), body.joint_confidence.copy()
    hands = performed if "hands" in transfer else own
    if hands is not body:
        for side, fingers in _HANDS:
            joints_cam_m[:, fingers], confidence[:, fingers] = _carried_hand(hands, body, side, fingers)
    head = performed if "head" in transfer else own
    rotation, center_cam_m = head.head_rotation, head.head_center_cam_m
    if head is not body:
        turn = _chest(body) @ _chest(own).transpose(0, 2, 1) if head is own else np.eye(3)[None]
        rotation, center_cam_m = turn @ rotation, _on_neck(head, body, turn)
    return replace(
        with_face(performed, performed if "face" in transfer else own),
        joints_cam_m=joints_cam_m,
        joint_confidence=confidence,
        head_rotation=rotation,
        head_center_cam_m=center_cam_m,
        head_radius_m=head.head_radius_m,
        head_confidence=head.head_confidence,
        scenery_motion=body.scenery_motion,
        surface_motion=body.surface_motion,
    )


def with_face(track: MotionTrack, face: MotionTrack) -> MotionTrack:
    """The track with the face of another one: boxes, expression and what is known of both."""
    return replace(
        track,
        face_boxes_px=face.face_boxes_px,
        face_confidence=face.face_confidence,
        face_occlusion=face.face_occlusion,
        face_units=face.face_units,
        face_tokens=face.face_tokens,
    )


def _carried_hand(hands: MotionTrack, body: MotionTrack, side: str, fingers: slice) -> tuple[np.ndarray, np.ndarray]:
    """(T, 20, 3) fingers of one track at the wrist of the other, turned as the forearm is, and their confidence."""
    elbow, wrist = joint_index(f"{side}_elbow"), joint_index(f"{side}_wrist")
    forearms = [track.joints_cam_m[:, wrist] - track.joints_cam_m[:, elbow] for track in (hands, body)]
    told = np.ones(len(hands), dtype=bool)
    for track in (hands, body):
        told &= (track.joint_confidence[:, [elbow, wrist]] > 0).all(axis=1)
    turn = np.where(told[:, None, None], shortest_rotation(*forearms), np.eye(3))
    offsets_m = hands.joints_cam_m[:, fingers] - hands.joints_cam_m[:, [wrist]]
    there = (hands.joint_confidence[:, wrist] > 0) & (body.joint_confidence[:, wrist] > 0)
    confidence = hands.joint_confidence[:, fingers] * there[:, None]
    carried = body.joints_cam_m[:, [wrist]] + np.einsum("tij,tkj->tki", turn, offsets_m)
    return np.where(confidence[..., None] > 0, carried, 0.0), confidence


def _on_neck(head: MotionTrack, body: MotionTrack, turn: np.ndarray) -> np.ndarray:
    """(T, 3) the head's centre carried over to the other track's neck, where both show one."""
    told = (head.joint_confidence[:, NECK] > 0) & (body.joint_confidence[:, NECK] > 0) & (head.head_confidence > 0)
    offset_m = head.head_center_cam_m - head.joints_cam_m[:, NECK]
    on_neck = body.joints_cam_m[:, NECK] + (turn @ offset_m[..., None])[..., 0]
    return np.where(told[:, None], on_neck, head.head_center_cam_m)


def _chest(track: MotionTrack) -> np.ndarray:
    """(T, 3, 3) of the chest, by shoulders and spine; the identity where they are not all there."""
    left, right = joint_index("left_shoulder"), joint_index("right_shoulder")
    told = np.asarray((track.joint_confidence[:, [left, right, NECK, PELVIS]] > 0).all(axis=1))
    across = np.where(told[:, None], track.joints_cam_m[:, left] - track.joints_cam_m[:, right], [1.0, 0, 0])
    down = np.where(told[:, None], track.joints_cam_m[:, PELVIS] - track.joints_cam_m[:, NECK], [0, 1.0, 0])
    down = unit(down)
    into = unit(np.cross(across, down))
    return np.stack([np.cross(down, into), down, into], axis=-1)
