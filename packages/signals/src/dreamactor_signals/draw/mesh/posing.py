"""The average body's bones on a track: each bone's own affine map, so that the body's joints lie on the track's.

No fit: a bone is turned and stretched from where it lies in the T pose to where the track has its joints. What joints
leave open, how a limb turns about itself, follows from the bone above it, and at the forearm from the hand too. A bone
that is not seen moves with the one above it, so that the skin next to it stays in place.

Legend: T video frames, B bones (`body_models.bones`), J joints (`dreamactor_core.skeleton`).
"""

from dataclasses import dataclass

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.skeleton import BODY_JOINTS, BONES, joint_index

from dreamactor_signals.body_models import Articulation
from dreamactor_signals.body_models.bones import BONE_COUNT, BONE_PARENTS, FINGERS, SIDES, bone_index
from dreamactor_signals.body_models.makehuman.joints import with_midpoints
from dreamactor_signals.rotations import nearest_rotation
from dreamactor_signals.visibility import SEEN

# Body axes (x to the person's left, y up, z forward) in the head's, which the camera sees when the head faces it.
_BODY_TO_HEAD = np.diag([1.0, -1.0, -1.0])
_BODY_BONES = BONES[BODY_JOINTS.stop > BONES[:, 1]]
_TORSO = ("pelvis", "spine_1", "spine_2", "spine_3", "left_clavicle", "right_clavicle")
# How far each bone of the torso turns with the shoulders, and not with the hips.
_WITH_CHEST = {"pelvis": 0.0, "spine_1": 1 / 3, "spine_2": 2 / 3}


@dataclass(frozen=True)
class PosedBones:
    """Where the T pose's points go: `linear @ point_m + offset_cam_m`, bone by bone.

    Attributes:
        linear: (T, B, 3, 3). offset_cam_m: (T, B, 3).
        confidence: (T, B) of the least certain joint that tells a bone's place.
    """

    linear: np.ndarray
    offset_cam_m: np.ndarray
    confidence: np.ndarray


def pose_bones(track: MotionTrack, body: Articulation) -> PosedBones:
    """Lay a body's bones on a track's joints and head."""
    posing = _Posing(track, body)
    posing.torso()
    posing.head()
    for side in SIDES:
        posing.leg(side)
        posing.arm(side)
        for finger in FINGERS:
            posing.finger(side, finger)
    return posing.finished()


class _Posing:
    """A body being laid on a track, from the torso outward."""

    def __init__(self, track: MotionTrack, body: Articulation) -> None:
        frames = len(track)
        self._track = track
        self._rest_m = with_midpoints(body.joints_mean_m.copy())
        self._skull_m, self._skull_radius_m = body.skull_mean_m[:3], float(body.skull_mean_m[3])
        self._joints_m = track.joints_cam_m.astype(np.float64)
        self._seen = track.joint_confidence
        self._size = self._body_size()
        self._rotation = np.tile(np.eye(3), (frames, BONE_COUNT, 1, 1))
        self._posed = PosedBones(
            np.tile(np.eye(3), (frames, BONE_COUNT, 1, 1)),
            np.zeros((frames, BONE_COUNT, 3)),
            np.zeros((frames, BONE_COUNT)),
        )

    def torso(self) -> None:
        """Pelvis, spine and collar bones, from hips to shoulders; without hips the chest alone, below a head."""
        pelvis, neck = self._at("pelvis"), self._at("neck")
        head_m = self._track.head_center_cam_m.astype(np.float64)
        hips_seen, chest_seen = (
            self._confidence("left_hip", "right_hip"),
            self._confidence("left_shoulder", "right_shoulder"),
        )
        whole = np.minimum(hips_seen, chest_seen)
        # Which way is up: along the spine, or from the shoulders to the head.
        has_spine = whole >= SEEN
        rest_up_m = self._rest("neck") - self._rest("pelvis")
        up_m = np.where(has_spine[:, None], neck - pelvis, head_m - neck)
        across_m = {end: self._at(f"left_{end}") - self._at(f"right_{end}") for end in ("hip", "shoulder")}
        rest_across_m = {end: self._rest(f"left_{end}") - self._rest(f"right_{end}") for end in across_m}
        stretch = np.where(has_spine, _length(up_m) / _length(rest_up_m), self._size)
        turned, linear = {}, {}
        for end in ("hip", "shoulder"):
            spine, rest = _axes(up_m, across_m[end]), _axes(rest_up_m, rest_across_m[end])
            # Above shoulders alone stands the head, which the skull's place at rest is the measure of.
            chest_rest = _axes(self._skull_m - self._rest("neck"), rest_across_m[end])
            turned[end] = np.where(has_spine[:, None, None], spine @ rest.T, spine @ chest_rest.T)
            width = _length(across_m[end]) / _length(rest_across_m[end])
            linear[end] = _stretched(turned[end], rest, stretch, width, self._size)
        confidence = np.where(has_spine, whole, np.minimum(chest_seen, self._track.head_confidence))
        for name in _TORSO:
            share = _WITH_CHEST.get(name, 1.0)
            mixed = np.where(
                has_spine[:, None, None], (1 - share) * linear["hip"] + share * linear["shoulder"], linear["shoulder"]
            )
            rotation = nearest_rotation((1 - share) * turned["hip"] + share * turned["shoulder"])
            # Hips that are not seen have no skin; what is drawn of a chest ends where the chest's own does.
            here = np.where(has_spine | (share == 1.0), confidence, 0.0)
            # Every map carries the line from pelvis to neck onto the track's: any point of it will do.
            at_rest_m = np.where(has_spine[:, None], self._rest("pelvis") + share * rest_up_m, self._rest("neck"))
            at_m = np.where(has_spine[:, None], pelvis + share * (neck - pelvis), neck)
            self._put(name, rotation, mixed, at_rest_m, at_m, here)

    def head(self) -> None:
        """Head and neck: the head as large as the skull sphere and turned as it, the neck between it and the chest."""
        track = self._track
        rotation = track.head_rotation.astype(np.float64) @ _BODY_TO_HEAD
        size = track.head_radius_m.astype(np.float64) / self._skull_radius_m
        center_m = track.head_center_cam_m.astype(np.float64)
        self._put("head", rotation, rotation * size[:, None, None], self._skull_m, center_m, track.head_confidence)
        chest = self._rotation[:, bone_index("spine_3")]
        along_m, rest_m = center_m - self._at("neck"), self._skull_m - self._rest("neck")
        turned = _aimed(nearest_rotation(chest + rotation), rest_m, along_m)
        linear = _stretched(turned, _axes_along(rest_m), _length(along_m) / _length(rest_m), self._size, self._size)
        # Without shoulders it moves with the head, with which it is seen.
        lost = self._confidence("left_shoulder", "right_shoulder") < SEEN
        linear[lost], rest_m = (
            (rotation * size[:, None, None])[lost],
            np.where(lost[:, None], self._skull_m, self._rest("neck")),
        )
        at_m = np.where(lost[:, None], center_m, self._at("neck"))
        self._put("neck", turned, linear, rest_m, at_m, track.head_confidence)

    def leg(self, side: str) -> None:
        """Thigh, shin, and the foot by heel, toe and ankle."""
        self._segment(f"{side}_thigh", f"{side}_hip", f"{side}_knee", self._turn_of("pelvis"))
        self._segment(f"{side}_shin", f"{side}_knee", f"{side}_ankle", self._turn_of(f"{side}_thigh"))
        ankle, heel, toe = (f"{side}_{joint}" for joint in ("ankle", "heel", "toe"))
        rest = _axes(self._rest(toe) - self._rest(heel), self._rest(ankle) - self._rest(heel))
        seen = _axes(self._at(toe) - self._at(heel), self._at(ankle) - self._at(heel))
        size = _length(self._at(toe) - self._at(heel)) / _length(self._rest(toe) - self._rest(heel))
        confidence = self._confidence(ankle, heel, toe)
        for bone in (f"{side}_foot", f"{side}_toes"):
            turned = seen @ rest.T
            self._put(bone, turned, turned * size[:, None, None], self._rest(ankle), self._at(ankle), confidence)

    def arm(self, side: str) -> None:
        """Upper arm, hand, and the forearm that turns half with either."""
        shoulder, elbow, wrist = (f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist"))
        middle, index, pinky = (f"{side}_{finger}_1" for finger in ("middle", "index", "pinky"))
        self._segment(f"{side}_upper_arm", shoulder, elbow, self._turn_of("spine_3"))
        upper = self._turn_of(f"{side}_upper_arm")
        rest = _axes(self._rest(middle) - self._rest(wrist), self._rest(index) - self._rest(pinky))
        turned = _axes(self._at(middle) - self._at(wrist), self._at(index) - self._at(pinky)) @ rest.T
        confidence = self._confidence(wrist, middle, index, pinky)
        size = _length(self._at(middle) - self._at(wrist)) / _length(self._rest(middle) - self._rest(wrist))
        self._put(f"{side}_hand", turned, turned * size[:, None, None], self._rest(wrist), self._at(wrist), confidence)
        like = np.where((confidence >= SEEN)[:, None, None], nearest_rotation(upper + turned), upper)
        self._segment(f"{side}_lower_arm", elbow, wrist, like)

    def finger(self, side: str, finger: str) -> None:
        """Three bones, as thick as the hand is large, or the body where the hand is not seen."""
        like = self._turn_of(f"{side}_hand")
        wrist, middle = f"{side}_wrist", f"{side}_middle_1"
        hand = _length(self._at(middle) - self._at(wrist)) / _length(self._rest(middle) - self._rest(wrist))
        thickness = np.where(self._confidence(wrist, middle) >= SEEN, hand, self._size)
        for knuckle in (1, 2, 3):
            bone = f"{side}_{finger}_{knuckle}"
            self._segment(bone, bone, f"{side}_{finger}_{knuckle + 1}", like, thickness)
            like = self._turn_of(bone)

    def finished(self) -> PosedBones:
        """All bones; those not seen move with the bone above, the hips with the chest, the chest with the head."""
        posed, chest, head = self._posed, bone_index("spine_3"), bone_index("head")
        alone = posed.confidence[:, chest] < SEEN
        posed.linear[alone, chest] = posed.linear[alone, head]
        posed.offset_cam_m[alone, chest] = posed.offset_cam_m[alone, head]
        for bone, parent in enumerate(BONE_PARENTS):
            if bone in (chest, head):
                continue
            above = chest if parent <= bone_index("pelvis") and bone < chest else int(parent)
            lost = posed.confidence[:, bone] < SEEN
            posed.linear[lost, bone] = posed.linear[lost, above]
            posed.offset_cam_m[lost, bone] = posed.offset_cam_m[lost, above]
        return posed

    def _segment(self, bone: str, start: str, end: str, like: np.ndarray, thickness: np.ndarray | None = None) -> None:
        """A bone from joint to joint, turned about itself as rotations (T, 3, 3) are."""
        thick = self._size if thickness is None else thickness
        rest_m, along_m = self._rest(end) - self._rest(start), self._at(end) - self._at(start)
        turned = _aimed(like, rest_m, along_m)
        linear = _stretched(turned, _axes_along(rest_m), _length(along_m) / _length(rest_m), thick, thick)
        self._put(bone, turned, linear, self._rest(start), self._at(start), self._confidence(start, end))

    def _put(
        self,
        bone: str,
        rotation: np.ndarray,
        linear: np.ndarray,
        rest_m: np.ndarray,
        at_cam_m: np.ndarray,
        confidence: np.ndarray,
    ) -> None:
        """Set a bone's map: the one with this linear part that carries `rest_m` to `at_cam_m`."""
        index = bone_index(bone)
        self._rotation[:, index] = rotation
        self._posed.linear[:, index] = linear
        carried_m = (linear @ np.broadcast_to(rest_m, at_cam_m.shape)[..., None])[..., 0]
        self._posed.offset_cam_m[:, index] = at_cam_m - carried_m
        self._posed.confidence[:, index] = confidence

    def _body_size(self) -> np.ndarray:
        """(T,) how much larger than the average the body is: the median over the bones seen."""
        start, end = _BODY_BONES.T
        ratio = _length(self._joints_m[:, end] - self._joints_m[:, start]) / _length(
            self._rest_m[end] - self._rest_m[start]
        )
        seen = np.minimum(self._seen[:, start], self._seen[:, end]) >= SEEN
        median = np.nanmedian(np.where(seen.any(axis=1)[:, None], np.where(seen, ratio, np.nan), 1.0), axis=1)
        return np.asarray(median)

    def _turn_of(self, bone: str) -> np.ndarray:
        return self._rotation[:, bone_index(bone)]

    def _rest(self, joint: str) -> np.ndarray:
        return self._rest_m[joint_index(joint)]

    def _at(self, joint: str) -> np.ndarray:
        return self._joints_m[:, joint_index(joint)]

    def _confidence(self, *joints: str) -> np.ndarray:
        return np.asarray(self._seen[:, [joint_index(joint) for joint in joints]].min(axis=1))


def _length(vectors: np.ndarray) -> np.ndarray:
    """(...,) lengths of (..., 3), never zero: joints that are missing lie on one point."""
    return np.maximum(np.linalg.norm(vectors, axis=-1), 1e-6)


def _axes(along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """(..., 3, 3) orthonormal columns: along `along` (..., 3), across it towards `across`, and square to both."""
    first = along / _length(along)[..., None]
    side = across - (across * first).sum(axis=-1, keepdims=True) * first
    second = side / _length(side)[..., None]
    return np.stack([first, second, np.cross(first, second)], axis=-1)


def _axes_along(along: np.ndarray) -> np.ndarray:
    """(3, 3) any axes of which the first is along (3,)."""
    return _axes(along, np.eye(3)[np.argmin(np.abs(along))])


def _aimed(like: np.ndarray, rest: np.ndarray, along: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations that turn `rest` (3,) into `along` (T, 3), as little as can be away from `like`."""
    a, b = like @ (rest / _length(rest)), along / _length(along)[:, None]
    cross, dot = np.cross(a, b), (a * b).sum(axis=-1)
    skew = np.zeros((len(a), 3, 3))
    skew[:, 2, 1], skew[:, 0, 2], skew[:, 1, 0] = cross.T
    skew -= skew.transpose(0, 2, 1)
    # Straight back there is no least turn: the square of what is left of the skew is as good as nothing.
    turn = np.eye(3) + skew + skew @ skew / np.maximum(1 + dot, 1e-6)[:, None, None]
    return np.asarray(turn @ like)


def _stretched(
    rotation: np.ndarray, axes: np.ndarray, along: np.ndarray, across: np.ndarray, through: np.ndarray
) -> np.ndarray:
    """(T, 3, 3) rotations (T, 3, 3) after stretching (T,) along each of the axes (3, 3)."""
    scales = np.stack([along, across, through], axis=-1)
    return np.asarray(rotation @ (axes * scales[:, None, :]) @ axes.T)
