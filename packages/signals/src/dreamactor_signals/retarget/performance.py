"""Retargeting: the driving person's performance, performed by the reference's body, before the reference's camera.

Everything is metric and in 3-D; nothing is compared in the picture, where foreshortening would pass for short bones.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.retarget import PARTS, RetargetSettings
from dreamactor_core.skeleton import BONES, joint_index

from dreamactor_signals.retarget.anchor import find_necks, ground_shift_m, is_grounded
from dreamactor_signals.retarget.faces import follow_heads
from dreamactor_signals.retarget.head import head_radius_m, place_head
from dreamactor_signals.retarget.lengths import (
    BODY_BONES,
    BoneLengths,
    better_known,
    bone_factors,
    complete,
    measure_bones,
    size_ratio,
)
from dreamactor_signals.retarget.rebuild import rebuild
from dreamactor_signals.retarget.scenery import follow_scenery
from dreamactor_signals.retarget.surfaces import follow_surfaces
from dreamactor_signals.retarget.transfer import combine, still, with_face

_LEG_BONES = np.isin(
    BONES[:, 1], [joint_index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle")]
)


def retarget(
    driving: MotionTrack,
    reference: MotionTrack,
    settings: RetargetSettings | None = None,
    *,
    at_rest: MotionTrack | None = None,
    adjust_lengths: bool = True,
) -> MotionTrack:
    """Carry a performance over to another body (paper 3.2, bone length adjustment).

    Kept from the driving clip: the direction of every bone, the head's rotation, confidences, face, rate and length.
    Taken from the reference: every bone's length, the head's size and distance from the neck, the camera and frame, and
    the place: the neck stands where the reference's stands and moves as the driving neck moves about its median, in
    proportion to the bodies. Where both show their feet, the feet stand on the reference's ground. Face boxes go with
    the head. The scenery moves as before the driving camera, if the body does. Parts that are not transferred keep the
    pose of the reference's first frame.

    Args:
        driving: T frames.
        reference: one or more frames of the other person.
        settings: what is transferred, and factors on bones; everything and none by default.
        at_rest: the other person in a pose that shows every bone (`PoseStandardizer`), to measure bones on.
        adjust_lengths: False leaves the driving person's proportions, at the reference's size: the paper's ablation.

    Returns:
        T frames in the reference's camera.

    Raises:
        InputError: the two show no part of the body in common.
    """
    settings = settings or RetargetSettings()
    own = still(reference, driving)
    if set(settings.transfer) <= {"face"}:
        # Nothing is compared: the two need have nothing in common.
        boxes_px = follow_heads(driving, own.head_center_cam_m, own.head_radius_m, reference)
        return combine(with_face(own, replace(driving, face_boxes_px=boxes_px)), own, settings.transfer)
    performed = _perform(driving, reference, at_rest, settings.bone_scale, adjust_lengths=adjust_lengths)
    return performed if len(settings.transfer) == len(PARTS) else combine(performed, own, settings.transfer)


def _perform(
    driving: MotionTrack,
    reference: MotionTrack,
    at_rest: MotionTrack | None,
    factors: Mapping[str, float],
    *,
    adjust_lengths: bool,
) -> MotionTrack:
    """All parts of the performance on the reference's body."""
    bones, reference_bones = measure_bones(driving), measure_bones(reference)
    if at_rest is not None:
        reference_bones = better_known(reference_bones, measure_bones(at_rest))
    scale = _body_scale(driving, reference, bones, reference_bones)
    grounded = is_grounded(driving) and is_grounded(reference)
    # Legs set the stride: scaled by anything else, standing feet would slide.
    legs = size_ratio(reference_bones, bones, _LEG_BONES) if grounded and adjust_lengths else None
    stride = legs or scale
    necks = find_necks(driving, reference, scale)
    new_neck_cam_m = necks.follow(stride)
    lengths_m = complete(bones, reference_bones, 1 / scale)
    new_lengths_m = complete(reference_bones, bones, scale) if adjust_lengths else lengths_m * scale
    joints_cam_m = rebuild(
        driving.joints_cam_m,
        driving.joint_confidence > 0,
        necks.path_cam_m,
        lengths_m,
        new_neck_cam_m,
        new_lengths_m * bone_factors(factors),
        scale,
    )
    if grounded:
        shift_m = ground_shift_m(driving, reference, joints_cam_m, stride)
        joints_cam_m[..., 1] += shift_m[:, None] * (driving.joint_confidence > 0)
        new_neck_cam_m[:, 1] += shift_m
    head = place_head(driving, reference, necks.path_cam_m, new_neck_cam_m, scale, factors)
    return replace(
        driving,
        joints_cam_m=joints_cam_m,
        head_center_cam_m=head.center_cam_m,
        head_radius_m=head.radius_m,
        face_boxes_px=follow_heads(driving, head.center_cam_m, head.radius_m, reference),
        scenery_motion=follow_scenery(driving, reference),
        surface_motion=follow_surfaces(driving, reference),
        focal_px=reference.focal_px,
        principal_px=reference.principal_px,
        frame_size=reference.frame_size,
    )


def _body_scale(
    driving: MotionTrack, reference: MotionTrack, bones: BoneLengths, reference_bones: BoneLengths
) -> float:
    """The reference's size over the driving person's: by the bones of the body, by the heads in close-ups."""
    ratio = size_ratio(reference_bones, bones, BODY_BONES)
    if ratio is not None:
        return ratio
    radius_m, reference_radius_m = head_radius_m(driving), head_radius_m(reference)
    if radius_m == 0 or reference_radius_m == 0:
        raise InputError(
            "the driving clip and the reference show no part of the body in common",
            remedy="Use a driving clip and a reference that both show the head or both show the shoulders",
        )
    return reference_radius_m / radius_m
