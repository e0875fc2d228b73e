"""Bodies, hands and heads of different programs -> one motion track.

Legend: T frames, B bones, J joints.
"""

from fractions import Fraction
from importlib.metadata import version
from pathlib import Path

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.files import sha256_file
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import JOINT_COUNT, LEFT_HAND_JOINTS, RIGHT_HAND_JOINTS, joint_index

from dreamactor_signals.body_models.bones import bone_index
from dreamactor_signals.body_models.protocol import BodyModel
from dreamactor_signals.body_models.skinning import posed_starts_m
from dreamactor_signals.external.camera import assumed_focal_px
from dreamactor_signals.external.faceverse import Faces, read_faceverse
from dreamactor_signals.external.hamer import Hands, read_hamer
from dreamactor_signals.external.humans4d import Bodies, read_4dhumans

# Body axes (x left, y up) against those of a head that faces the camera (x right, y down).
_FACING = np.diag((1.0, -1.0, -1.0))
_FINGERS_GUESSED = 0.05


def import_track(
    bodies_file: Path,
    body: BodyModel,
    fps: Fraction,
    *,
    hands_file: Path | None = None,
    face_file: Path | None = None,
    person: int | None = None,
    video: Path | None = None,
) -> MotionTrack:
    """A motion track of results that were estimated elsewhere (design section 4, `external`).

    Args:
        bodies_file: of 4DHumans; hands_file: of HaMeR; face_file: of FaceVerse. All of one video.
        body: gives the joints of SMPL's pose.
        fps: frames a second of the video.
        person: PHALP's track number; None takes whoever is there in most frames.
        video: that they were estimated from, for the track's checksum.

    Raises:
        InputError: a file that cannot be read, or files of different lengths.
    """
    bodies = read_4dhumans(bodies_file, person)
    count = len(bodies.confidence)
    joints_cam_m, confidence, center_cam_m, radius_m = _posed(bodies, body)
    trackers = {"body": f"4DHumans sha256:{sha256_file(bodies_file)[:12]}", "joints": body.name}
    if hands_file is not None:
        _attach(joints_cam_m, confidence, read_hamer(hands_file, count))
        trackers["hands"] = f"HaMeR sha256:{sha256_file(hands_file)[:12]}"
    rotation = bodies.rotations_cam[:, bone_index("head")] @ _FACING
    faces = None
    if face_file is not None:
        faces = _of_length(read_faceverse(face_file), count, face_file)
        rotation = np.where(faces.confidence[:, None, None] > 0, faces.rotation, rotation)
        trackers["head"] = f"FaceVerse sha256:{sha256_file(face_file)[:12]}"
    here = bodies.confidence > 0
    return MotionTrack(
        joints_cam_m=joints_cam_m * here[:, None, None],
        joint_confidence=confidence * here[:, None],
        focal_px=assumed_focal_px(bodies.frame_size),
        principal_px=np.array(bodies.frame_size) / 2,
        frame_size=bodies.frame_size,
        fps=fps,
        head_rotation=np.where(here[:, None, None], rotation, np.eye(3)),
        head_center_cam_m=center_cam_m * here[:, None],
        head_radius_m=radius_m * here,
        head_confidence=bodies.confidence,
        face_boxes_px=np.zeros((count, 4)),
        face_confidence=np.zeros(count),
        face_units=None if faces is None else faces.units,
        trackers=trackers | {"import": f"dreamactor-signals {version('dreamactor-signals')}"},
        source_sha256="" if video is None else sha256_file(video),
    )


def _posed(bodies: Bodies, body: BodyModel) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Joints (T, J, 3), confidences (T, J), centre (T, 3) and radius of the skull, of the average body."""
    model, rotations = body.articulation, bodies.rotations_cam
    starts_m = posed_starts_m(model.starts_mean_m, rotations) + bodies.pelvis_cam_m[:, None]
    carriers = np.maximum(model.joint_bones, 0)
    offsets_m = model.joints_mean_m - model.starts_mean_m[carriers]
    joints_m = starts_m[:, carriers] + np.einsum("tjik,jk->tji", rotations[:, carriers], offsets_m)
    for middle, ends in (("pelvis", "hip"), ("neck", "shoulder")):
        left, right = joint_index(f"left_{ends}"), joint_index(f"right_{ends}")
        joints_m[:, joint_index(middle)] = (joints_m[:, left] + joints_m[:, right]) / 2
    head = bone_index("head")
    offset_m = model.skull_mean_m[:3] - model.starts_mean_m[head]
    confidence = np.tile(bodies.confidence[:, None], (1, JOINT_COUNT))
    # SMPL has no fingers: these are straight ones, only a guess.
    confidence[:, LEFT_HAND_JOINTS] = confidence[:, RIGHT_HAND_JOINTS] = _FINGERS_GUESSED
    return joints_m, confidence, starts_m[:, head] + rotations[:, head] @ offset_m, float(model.skull_mean_m[3])


def _attach(joints_cam_m: np.ndarray, confidence: np.ndarray, hands: Hands) -> None:
    """Put hands in at the wrists of the body: one crop tells a hand's shape, and its distance badly."""
    for side, (wrist, fingers) in enumerate(
        ((joint_index("left_wrist"), LEFT_HAND_JOINTS), (joint_index("right_wrist"), RIGHT_HAND_JOINTS))
    ):
        seen = hands.confidence[:, side] > 0
        shape_m = hands.points_cam_m[seen, side, 1:] - hands.points_cam_m[seen, side, :1]
        joints_cam_m[seen, fingers] = joints_cam_m[seen, wrist, None] + shape_m
        confidence[seen, fingers] = hands.confidence[seen, side, None]


def _of_length(faces: Faces, count: int, path: Path) -> Faces:
    if len(faces.confidence) != count:
        raise InputError(f"{len(faces.confidence)} frames, but the bodies have {count}", path=path)
    return faces
