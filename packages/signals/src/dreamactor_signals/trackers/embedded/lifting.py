"""Joints in place of the marks of the body's network: each limb's depth from what half a second of a shot shows.

The network's own depths err differently in every frame, and it marks joints where skin shows them. Small networks of
ours, one for each kind of limb and the same for left and right, read how that limb and its neighbours look in five
moments, how long limbs appear over the shot, and how the torso stands, and tell what to add to the limb. Each knows
its own limb alone: so none learns whole poses by heart. They were trained on synthetic people:
`python -m benchmarks.signals_parts.lifting` writes the file beside this one, whose header tells whom and which motions
they have seen.

All lengths are those of the network's own metric skeleton: pixels are brought to its metres first.

Legend: T frames, P = 33 body points, L = 16 joints that are lifted, S = 2 sides, B kinds of limbs, K moments,
C = 7 channels, F features, H hidden.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import load_tensors

from dreamactor_signals.trackers.embedded.body import Point
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.readings import BodyReading, FrameReading

LIFTING_FILE = Path(__file__).with_name("lifting.safetensors")

_JOINTS = ("SHOULDER", "ELBOW", "WRIST", "HIP", "KNEE", "ANKLE", "HEEL", "TOE")
LIFTED: tuple[Point, ...] = tuple(Point[f"{side}_{joint}"] for side in ("LEFT", "RIGHT") for joint in _JOINTS)
"""The points that become joints: all of the left, then all of the right."""

_SHOULDERS = [LIFTED.index(Point.LEFT_SHOULDER), LIFTED.index(Point.RIGHT_SHOULDER)]

MOMENTS_S = np.array([-0.24, -0.12, 0.0, 0.12, 0.24])
_NOW = len(MOMENTS_S) // 2
# A reading stands for a moment from which it is no further away.
_NEAR_S = 0.08
# Limbs from where to where, on a side of its own; `PELVIS` and `NECK` are midpoints, of which there is one.
LIMBS: tuple[tuple[str, str], ...] = (
    ("PELVIS", "NECK"),
    ("NECK", "SHOULDER"),
    ("SHOULDER", "ELBOW"),
    ("ELBOW", "WRIST"),
    ("PELVIS", "HIP"),
    ("HIP", "KNEE"),
    ("KNEE", "ANKLE"),
    ("ANKLE", "TOE"),
    ("ANKLE", "HEEL"),
)
# What a limb hangs on, and what hangs on it.
_BEFORE = (0, 0, 1, 2, 0, 4, 5, 6, 6)
_AFTER = (1, 2, 3, 3, 5, 6, 7, 7, 8)
_TORSO = (0, 1, 4)
# In a mirror: across the picture, down, away, what the skeleton says beyond the picture, away by the other depth, seen.
_MIRROR = np.array([-1.0, 1.0, 1.0, -1.0, 1.0, 1.0, 1.0])
# Limbs appear as long as they are in those frames in which they lie across the line of sight.
_ACROSS_QUANTILE = 0.8


@dataclass(frozen=True)
class Bodies:
    """The bodies read in a shot, in their order.

    Attributes:
        points_px: (T, P, 2). depth_px: (T, P). points_body_m: (T, P, 3). visibility: (T, P).
        times_s: (T,) when each was read.
    """

    points_px: np.ndarray
    depth_px: np.ndarray
    points_body_m: np.ndarray
    visibility: np.ndarray
    times_s: np.ndarray

    @classmethod
    def of(cls, bodies: Sequence[BodyReading], times_s: np.ndarray) -> "Bodies":
        """Stacked readings, at least one."""
        return cls(
            np.array([body.points_px for body in bodies]),
            np.array([body.depth_px for body in bodies]),
            np.array([body.points_body_m for body in bodies]),
            np.array([body.visibility for body in bodies]),
            times_s,
        )

    @cached_property
    def metres(self) -> tuple[np.ndarray, np.ndarray]:
        """(T,) metres a pixel at which the picture looks like the skeleton, and (T, 2) pixels of its origin."""
        share = (self.visibility + 1e-3)[..., None]
        share = share / share.sum(axis=1, keepdims=True)
        middle_px = (share * self.points_px).sum(axis=1, keepdims=True)
        middle_m = (share * self.points_body_m[..., :2]).sum(axis=1, keepdims=True)
        from_px, from_m = self.points_px - middle_px, self.points_body_m[..., :2] - middle_m
        metres_per_px = (share * from_px * from_m).sum(axis=(1, 2)) / (share * from_px**2).sum(axis=(1, 2)).clip(1e-9)
        metres_per_px = metres_per_px.clip(1e-6)
        return metres_per_px, middle_px[:, 0] - middle_m[:, 0] / metres_per_px[:, None]

    def describe(self, camera: Camera) -> np.ndarray:
        """(T, S, B, F) what the networks are told of each limb."""
        limbs = self._limbs()
        around = limbs[self.moments()]
        now = limbs[:, :, list(_TORSO)].reshape(*limbs.shape[:2], 1, -1)
        metres_per_px, origin_px = self.metres
        ray = (origin_px - np.asarray(camera.principal_px)) / camera.focal_px
        sign = np.array([1.0, -1.0])
        place = np.stack([ray[:, :1] * sign, np.tile(ray[:, 1:], 2)], -1)
        nearness = np.tile(1 / (metres_per_px * camera.focal_px).clip(0.3), (2, 1)).T[..., None]
        told = np.concatenate([now, self._proportions(limbs), np.concatenate([place, nearness], -1)[:, :, None]], -1)
        own = np.moveaxis(around, 1, 3).reshape(*limbs.shape[:3], -1)
        neighbours = [limbs[:, :, list(others)] for others in (_BEFORE, _AFTER)]
        shared = np.broadcast_to(told, (*limbs.shape[:3], told.shape[-1]))
        return np.concatenate([own, *neighbours, shared], axis=-1)

    def _limbs(self) -> np.ndarray:
        """(T, S, B, C) of limbs, those of the right side in the mirror."""
        metres_per_px, origin_px = self.metres
        seen_m = (self.points_px - origin_px[:, None]) * metres_per_px[:, None, None]
        depth_m = (self.depth_px * metres_per_px[:, None])[..., None]
        beyond_m = self.points_body_m[..., :2] - seen_m
        points = np.concatenate(
            [seen_m, self.points_body_m[..., 2:], beyond_m, depth_m, self.visibility[..., None]], axis=-1
        )
        sides = []
        for side, mirror in (("LEFT", np.ones(len(_MIRROR))), ("RIGHT", _MIRROR)):
            starts, ends = (
                np.stack([_end(points, side, limb[end]) for limb in LIMBS], axis=1) * mirror for end in (0, 1)
            )
            seen = np.minimum(starts[..., -1:], ends[..., -1:])
            sides.append(np.concatenate([(ends - starts)[..., :-1], seen], axis=-1))
        return np.stack(sides, axis=1)

    def _proportions(self, limbs: np.ndarray) -> np.ndarray:
        """(T, 1, 1, 2 B) how long limbs appear over the shot, and how long the skeleton has them."""
        seen_m = np.linalg.norm(limbs[..., :2], axis=-1).mean(axis=1)
        own_m = np.linalg.norm(limbs[..., :3] + limbs[..., [3, 4, 4]] * (1, 1, 0), axis=-1).mean(axis=1)
        shape = np.concatenate([np.quantile(seen_m, _ACROSS_QUANTILE, axis=0), np.median(own_m, axis=0)])
        return np.broadcast_to(shape, (len(limbs), 2, 1, len(shape)))

    def held(self, corrections_m: np.ndarray) -> np.ndarray:
        """Corrections (T, L, 3) that hang on a pelvis, hung on the shoulders where no hips are seen.

        Limbs are corrected against one another. A pelvis beyond the picture's edge is a guess, and a spine put right
        from there moves shoulders that were seen well.
        """
        hips_seen_T11 = self.visibility[:, [Point.LEFT_HIP, Point.RIGHT_HIP]].min(axis=1)[:, None, None]
        neck_m = corrections_m[:, _SHOULDERS].mean(axis=1, keepdims=True)
        return np.asarray(corrections_m - (1 - hips_seen_T11) * neck_m * (1, 1, 0))

    def moments(self) -> np.ndarray:
        """(T, K) which reading stands for each moment around a frame: the nearest one, or the frame's own."""
        wanted_s = self.times_s[:, None] + MOMENTS_S
        nearest = np.abs(wanted_s[..., None] - self.times_s).argmin(axis=-1)
        far = np.abs(self.times_s[nearest] - wanted_s) > _NEAR_S
        return np.where(far, np.arange(len(nearest))[:, None], nearest)


@dataclass(frozen=True)
class Lifting:
    """Networks of three layers, one for each kind of limb.

    Attributes:
        weights: (B, F, H), (B, H, H), (B, H, 3). biases: (B, H), (B, H), (B, 3).
        label: what they learnt from, for the track.
    """

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    label: str

    def limb_corrections_m(self, features: np.ndarray) -> np.ndarray:
        """(T, S, B, 3) out of the body's middle, down and away, to add to limbs; from (T, S, B, F)."""
        values = features
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = np.einsum("tsbf,bfh->tsbh", values, weight) + bias
            if layer + 1 < len(self.weights):
                values = np.maximum(values, 0)
        return values

    def lift(self, readings: Sequence[FrameReading], camera: Camera, fps: float) -> list[FrameReading]:
        """The readings of a shot with joints in place of the marks of their bodies.

        Args:
            readings: T, with left and right set straight.
            camera: that they were made with.
            fps: frames a second.
        """
        here = {t: reading.body for t, reading in enumerate(readings) if reading.body is not None}
        lifted = list(readings)
        if not here:
            return lifted
        bodies = Bodies.of(list(here.values()), np.array(list(here)) / fps)
        corrections_m = bodies.held(joint_corrections_m(self.limb_corrections_m(bodies.describe(camera))))
        metres_per_px, _ = bodies.metres
        for (t, body), correction_m, scale in zip(here.items(), corrections_m, metres_per_px, strict=True):
            points_px, points_body_m = body.points_px.copy(), body.points_body_m.copy()
            points_px[list(LIFTED)] += correction_m[:, :2] / scale
            points_body_m[list(LIFTED)] += correction_m
            lifted[t] = replace(readings[t], body=replace(body, points_px=points_px, points_body_m=points_body_m))
        return lifted


def joint_corrections_m(limbs_m: np.ndarray) -> np.ndarray:
    """(T, L, 3) right, down and away, to add to joints, from (T, S, B, 3) of limbs: each moves what hangs on it.

    The pelvis stays; what both sides say of the spine is averaged.
    """
    return np.tensordot(limbs_m * _SIDE_SIGN, _HANGING, axes=([1, 2], [0, 1])).transpose(0, 2, 1)


def hanging() -> np.ndarray:
    """(S, B, L) how much of a limb's correction each joint takes."""
    share = np.zeros((2, len(LIMBS), len(LIFTED)))
    for row, joint in enumerate(LIFTED):
        side, _, name = joint.name.partition("_")
        number = 0 if side == "LEFT" else 1
        while name != "PELVIS":
            limb = [end for _, end in LIMBS].index(name)
            share[:, limb, row] += 0.5 if name == "NECK" else np.arange(2) == number
            name = LIMBS[limb][0]
    return share


@cache
def lifting() -> Lifting:
    """The networks that ship with the package.

    Raises:
        WeightsError: the file is damaged.
    """
    tensors, header = load_tensors(LIFTING_FILE, error=WeightsError)
    values = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
    layers = range(len(values) // 2)
    return Lifting(
        tuple(values[f"weight_{layer}"] for layer in layers),
        tuple(values[f"bias_{layer}"] for layer in layers),
        f"cast {header['cast']}",
    )


def _end(points: np.ndarray, side: str, name: str) -> np.ndarray:
    """(T, C) of a limb's end; the body's middles lie between both sides."""
    middles = {"PELVIS": "HIP", "NECK": "SHOULDER"}
    if name in middles:
        return np.asarray((points[:, Point[f"LEFT_{middles[name]}"]] + points[:, Point[f"RIGHT_{middles[name]}"]]) / 2)
    return np.asarray(points[:, Point[f"{side}_{name}"]])


_HANGING = hanging()
_SIDE_SIGN = np.array([[[1.0, 1.0, 1.0]], [[-1.0, 1.0, 1.0]]])
