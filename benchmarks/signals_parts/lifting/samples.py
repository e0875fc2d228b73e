"""What the lifting networks are trained and judged on: what they are told, and what joints they should lead to.

Every filmed clip trains several times: as it is and with limbs turned and stretched, by as much in what was read as in
truth. Frames in which something else was taken for a limb tell nothing of depths and are left out.

Legend: N samples, T frames, J joints, P = 33 body points, L = 16 lifted joints, S = 2 sides, B kinds of limbs,
F features, D = 18 body joints.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.skeleton import BODY_JOINTS, JOINT_NAMES, PARENTS, joint_index
from dreamactor_signals.rotations import rotation_of_vector
from dreamactor_signals.trackers.embedded.body import Point
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip_body import JOINT_OF_POINT
from dreamactor_signals.trackers.embedded.lifting import LIFTED, Bodies
from dreamactor_signals.trackers.embedded.placement import root_position
from dreamactor_signals.trackers.embedded.sides import OTHER_SIDE

from benchmarks.signals_parts.lifting.filming import SIZE, Filmed
from benchmarks.signals_parts.lifting.motions import STEP_S

JOINT_OF_LIFTED = [JOINT_OF_POINT[point] for point in LIFTED]
_LEAST_FRAMES = 3
# Share of a body's extent by which its joints may be missed in the picture on average.
_MOST_MISSED = 0.06
# Constant turns of whole bodies and of bones by the joint they end at, and lengths, in variants of a clip.
_WHOLE_RAD = 0.1
_TURNED_RAD = {"neck": 0.08, "elbow": 0.22, "wrist": 0.25, "knee": 0.18, "ankle": 0.18}
_STRETCH = 0.04
# How much of a difference in depth the body's network reads.
_DEPTH_READ = 0.8
_PELVIS = joint_index("pelvis")
_ARMS, _LEGS = slice(Point.LEFT_SHOULDER, Point.LEFT_HIP), slice(Point.LEFT_HIP, None)


@dataclass(frozen=True)
class Samples:
    """Frames.

    Attributes:
        features: (N, S, B, F).
        rays: (N, L, 2) along which joints are placed, hidden ones where the skeleton has them; x and y at depth 1.
        depths_m: (N, L) as read, from the skeleton's origin. root_m: (N,) its distance.
        joints_cam_m: (N, D, 3) the truth.
        inside: (N, D) bool, which lie in the frame.
        framing: (N,) 0 full, 1 half, 2 portrait.
    """

    features: np.ndarray
    rays: np.ndarray
    depths_m: np.ndarray
    root_m: np.ndarray
    joints_cam_m: np.ndarray
    inside: np.ndarray
    framing: np.ndarray


def samples_of(filmed: Filmed, *, variants: int = 0, seed: int = 0) -> Samples:
    """Every frame in which a body was found, in clips with some of them.

    Args:
        variants: how often each clip comes once more with other limbs.
        seed: of what is drawn for these.
    """
    random = np.random.default_rng(seed)
    parts = []
    for number in range(len(filmed.person)):
        if filmed.found[number].sum() < _LEAST_FRAMES:
            continue
        clip = Clip.of(filmed, number)
        for one in (clip, *(clip.varied(random) for _ in range(variants))):
            samples, taken = one.samples(), one.well_read()
            parts.append({f.name: getattr(samples, f.name)[taken] for f in fields(Samples)})
    return Samples(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


@dataclass(frozen=True)
class Clip:
    """One film.

    Attributes:
        bodies: as read, with left and right set straight.
        joints_cam_m: (T, J, 3) the truth. inside: (T, J) bool, which lie in the frame.
        focal_px: of the camera that filmed. framing: 0 full, 1 half, 2 portrait.
    """

    bodies: Bodies
    joints_cam_m: np.ndarray
    inside: np.ndarray
    focal_px: float
    framing: int

    @classmethod
    def of(cls, filmed: Filmed, number: int) -> "Clip":
        """The frames of a clip in which a body was found."""
        frames = np.flatnonzero(filmed.found[number])
        read = [
            getattr(filmed, name)[number, frames].astype(np.float64)
            for name in ("points_px", "depth_px", "points_body_m", "visibility")
        ]
        _set_straight(read, filmed.joints_px[number, frames])
        points_px, depth_px, points_body_m, visibility = read
        return cls(
            Bodies(points_px, depth_px, points_body_m, visibility, frames * STEP_S),
            filmed.joints_cam_m[number, frames].astype(np.float64),
            filmed.inside[number, frames],
            float(filmed.focal_px[number]),
            int(filmed.framing[number]),
        )

    def varied(self, random: np.random.Generator) -> "Clip":
        """With every limb turned and stretched by a constant: what was read moves as truth does, less in depth."""
        moved_cam_m = _bent(self.joints_cam_m, random)
        pelvis_m = self.joints_cam_m[:, [_PELVIS], 2]
        by_m = (moved_cam_m - self.joints_cam_m)[:, _CARRIERS]
        before_px, after_px = (
            joints[..., :2] / joints[..., 2:].clip(0.1) * self.focal_px for joints in (self.joints_cam_m, moved_cam_m)
        )
        # The network's metres are its own.
        metres_per_px, _ = self.bodies.metres
        px_per_m = self.focal_px / pelvis_m.clip(0.1)
        scale = (metres_per_px[:, None] * px_per_m)[..., None]
        bodies = replace(
            self.bodies,
            points_px=self.bodies.points_px + (after_px - before_px)[:, _CARRIERS],
            depth_px=self.bodies.depth_px + _DEPTH_READ * px_per_m * by_m[..., 2],
            points_body_m=self.bodies.points_body_m + scale * by_m * (1, 1, _DEPTH_READ),
        )
        return replace(self, bodies=bodies, joints_cam_m=moved_cam_m)

    def well_read(self) -> np.ndarray:
        """(T,) bool, frames in which joints were marked about where they are."""
        true_px = self.joints_cam_m[..., :2] / self.joints_cam_m[..., 2:].clip(0.1) * self.focal_px + np.array(SIZE) / 2
        miss_px = self.bodies.points_px[:, list(LIFTED)] - true_px[:, JOINT_OF_LIFTED]
        extent_px = np.ptp(true_px[:, JOINT_OF_LIFTED], axis=1).max(axis=-1)
        inside = self.inside[:, JOINT_OF_LIFTED]
        mean_px = (np.linalg.norm(miss_px, axis=-1) * inside).sum(axis=1) / inside.sum(axis=1).clip(1)
        return np.asarray((mean_px < _MOST_MISSED * extent_px) & inside.any(axis=1))

    def samples(self) -> Samples:
        """One of each frame."""
        camera, bodies = Camera.assumed(SIZE, SignalsSettings().field_of_view_deg), self.bodies
        features = bodies.describe(camera)
        lifted = list(LIFTED)
        root_m = np.array(
            [
                root_position(points_px, points_body_m, seen.clip(1e-3), camera)
                for points_px, points_body_m, seen in zip(
                    bodies.points_px, bodies.points_body_m, bodies.visibility, strict=True
                )
            ]
        )
        standing = bodies.points_body_m[:, lifted] + root_m[:, None]
        rays = (bodies.points_px[:, lifted] - np.array(camera.principal_px)) / camera.focal_px
        seen = bodies.visibility[:, lifted, None]
        rays = seen * rays + (1 - seen) * standing[..., :2] / standing[..., 2:].clip(0.15)
        return Samples(
            features=features.astype(np.float32),
            rays=rays.astype(np.float32),
            depths_m=bodies.points_body_m[:, lifted, 2].astype(np.float32),
            root_m=root_m[:, 2].astype(np.float32),
            joints_cam_m=self.joints_cam_m[:, BODY_JOINTS].astype(np.float32),
            inside=self.inside[:, BODY_JOINTS],
            framing=np.full(len(features), self.framing),
        )


def _bent(joints_cam_m: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Joints (T, J, 3) with every bone turned a little against the one before it, and of another length."""
    turns = np.tile(np.eye(3), (len(PARENTS), 1, 1))
    bent = joints_cam_m.copy()
    for joint, parent in enumerate(PARENTS):
        if parent < 0:
            turns[joint] = rotation_of_vector(random.normal(0, _WHOLE_RAD, 3))
            continue
        spread_rad = _TURNED_RAD.get(JOINT_NAMES[joint].rpartition("_")[2], 0.0)
        turns[joint] = rotation_of_vector(random.normal(0, spread_rad, 3)) @ turns[parent]
        bone_m = (joints_cam_m[:, joint] - joints_cam_m[:, parent]) @ turns[joint].T
        bent[:, joint] = bent[:, parent] + bone_m * np.exp(random.normal(0, _STRETCH))
    return bent


def _carriers() -> np.ndarray:
    """(P,) the joint with which each point moves: its own, the wrist, or the neck."""
    carriers = np.full(len(Point), joint_index("neck"))
    for point in Point:
        side, _, name = point.name.lower().partition("_")
        if name in ("pinky", "index", "thumb"):
            carriers[point] = joint_index(f"{side}_wrist")
    for point, joint in JOINT_OF_POINT.items():
        carriers[point] = joint
    return carriers


def _set_straight(read: list[np.ndarray], true_px: np.ndarray) -> None:
    """Exchange the sides of arms or legs, in place, in frames in which truth lies nearer so.

    Args:
        read: (T, P, ...) each, pixels first.
        true_px: (T, J, 2).
    """
    points_px = read[0]
    joints = [int(point) for point in JOINT_OF_POINT]
    for group in (_ARMS, _LEGS):
        chosen = [point for point in joints if point in range(len(OTHER_SIDE))[group]]
        truth = true_px[:, [JOINT_OF_POINT[Point(point)] for point in chosen]]
        kept = np.linalg.norm(points_px[:, chosen] - truth, axis=-1).mean(axis=1)
        exchanged = np.linalg.norm(points_px[:, OTHER_SIDE[chosen]] - truth, axis=-1).mean(axis=1)
        wrong = np.flatnonzero(exchanged < kept)
        for values in read:
            values[wrong, group] = values[wrong][:, OTHER_SIDE][:, group]


_CARRIERS = _carriers()
