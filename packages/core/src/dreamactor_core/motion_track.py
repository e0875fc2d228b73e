"""MotionTrack: everything the model must know of a performance, per frame, as parameters and never as pixels.

The one currency between rooms: trackers make it, retargeting changes it, drawing turns it into control maps at the
last moment. Camera space is OpenCV's: x right, y down, z forward, in metres; pixels start at the top-left corner.

Legend: T video frames, J joints (`dreamactor_core.skeleton`), U face units (`dreamactor_core.face_units`), P surfaces
(`dreamactor_core.surfaces`), C channels.
"""

from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import numpy as np

from dreamactor_core.errors import TrackError
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.files import load_tensors, pack_tensors, unpack_tensors, write_bytes
from dreamactor_core.skeleton import JOINT_COUNT
from dreamactor_core.surfaces import BODY_SURFACES, SURFACE_TERMS

FORMAT = "dreamactor-motion-track"
VERSION = 4
# What newer versions added is optional, so that older files are read as they are: version 1 knew no face_occlusion,
# version 2 no scenery_motion, version 3 no surface_motion.
READABLE = (1, 2, 3, 4)

# name -> shape after the frame axis; None stands for any size.
_FRAME_ARRAYS: dict[str, tuple[int | None, ...]] = {
    "joints_cam_m": (JOINT_COUNT, 3),
    "joint_confidence": (JOINT_COUNT,),
    "head_rotation": (3, 3),
    "head_center_cam_m": (3,),
    "head_radius_m": (),
    "head_confidence": (),
    "face_boxes_px": (4,),
    "face_confidence": (),
    "face_occlusion": (),
    "face_units": (len(ARKIT_UNITS),),
    "face_tokens": (None,),
    "scenery_motion": (2, 3),
    "surface_motion": (len(BODY_SURFACES), 2, SURFACE_TERMS),
}
_OPTIONAL = ("face_occlusion", "face_units", "face_tokens", "scenery_motion", "surface_motion")
_SHARES = ("joint_confidence", "head_confidence", "face_confidence", "face_occlusion")


@dataclass(frozen=True, eq=False)
class MotionTrack:
    """A performance of T frames by one person.

    What is missing has confidence 0 and finite zeros. Head coordinates: x to the image's right when the head faces the
    camera, y down, z away from the camera, so that the identity rotation is a head facing the camera upright.

    Attributes:
        joints_cam_m: (T, J, 3) float32.
        joint_confidence: (T, J) float32 in [0, 1].
        focal_px: focal length, equal on both axes.
        principal_px: (2,) float32.
        frame_size: width, height in pixels.
        fps: frames a second, exact.
        head_rotation: (T, 3, 3) float32, head coordinates to camera space.
        head_center_cam_m: (T, 3) float32, centre of the skull.
        head_radius_m: (T,) float32.
        head_confidence: (T,) float32.
        face_boxes_px: (T, 4) float32, x0 y0 x1 y1.
        face_confidence: (T,) float32.
        trackers: name and version of every estimator.
        source_sha256: of the video it was read from.
        face_units: (T, U) float32 ARKit weights in [0, 1], or None.
        face_tokens: (T, C) float32, only when they come from speech.
        face_occlusion: (T,) float32, share of the face that something hides, or None where nobody looked.
        scenery_motion: (T, 2, 3) float32, where the camera sees what lies far behind the person, as a similarity of the
            image plane (pixels less `principal_px`, over `focal_px`). Only how frames differ means something. None
            where nobody looked.
        surface_motion: (T, P, 2, 6) float32, how what is seen on the body goes beyond its bones (clothes that slide, a
            trunk that turns): of each surface, the polynomials that lead from where something is seen back to where it
            rests, along the bone in its lengths and across it in half widths, less where it is seen. Only how frames
            differ means something. None where nobody looked.

    Raises:
        TrackError: on construction, when shapes, values or sizes contradict each other.
    """

    joints_cam_m: np.ndarray
    joint_confidence: np.ndarray
    focal_px: float
    principal_px: np.ndarray
    frame_size: tuple[int, int]
    fps: Fraction
    head_rotation: np.ndarray
    head_center_cam_m: np.ndarray
    head_radius_m: np.ndarray
    head_confidence: np.ndarray
    face_boxes_px: np.ndarray
    face_confidence: np.ndarray
    trackers: dict[str, str] = field(default_factory=dict)
    source_sha256: str = ""
    face_units: np.ndarray | None = None
    face_tokens: np.ndarray | None = None
    face_occlusion: np.ndarray | None = None
    scenery_motion: np.ndarray | None = None
    surface_motion: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "principal_px", np.asarray(self.principal_px, dtype=np.float32))
        object.__setattr__(self, "frame_size", (int(self.frame_size[0]), int(self.frame_size[1])))
        object.__setattr__(self, "focal_px", float(self.focal_px))
        object.__setattr__(self, "fps", Fraction(self.fps))
        for name in _FRAME_ARRAYS:
            array = getattr(self, name)
            if array is not None:
                object.__setattr__(self, name, np.ascontiguousarray(array, dtype=np.float32))
        _check(self)

    def __len__(self) -> int:
        return len(self.joints_cam_m)

    def __getitem__(self, frames: slice | np.ndarray | list[int]) -> Self:
        """The track of some frames: a slice or indices, never a single integer (a track keeps its frame axis)."""
        chosen = {name: array[frames] for name in _FRAME_ARRAYS if (array := getattr(self, name)) is not None}
        return replace(self, **chosen)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MotionTrack):
            return NotImplemented
        return all(_same(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]  # arrays inside

    def project(self, points_cam_m: np.ndarray) -> np.ndarray:
        """Camera-space points (..., 3) in metres to pixels (..., 2). Mask points at or behind the camera."""
        depth_m = points_cam_m[..., 2:3]
        safe_depth_m = np.where(np.abs(depth_m) < 1e-6, 1e-6, depth_m)
        return points_cam_m[..., :2] / safe_depth_m * self.focal_px + self.principal_px

    def save(self, path: Path | str) -> None:
        """Write one safetensors file with a JSON header, atomically."""
        write_bytes(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        """What `save` writes."""
        tensors = {name: array for name in _FRAME_ARRAYS if (array := getattr(self, name)) is not None} | {
            "principal_px": self.principal_px
        }
        header = {
            "format": FORMAT,
            "version": VERSION,
            "focal_px": self.focal_px,
            "frame_size": list(self.frame_size),
            "fps": str(self.fps),
            "trackers": self.trackers,
            "source_sha256": self.source_sha256,
        }
        return pack_tensors(tensors, header)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a track back.

        Raises:
            InputError: no such file.
            TrackError: not a motion track, of another version, or damaged.
        """
        return cls._checked(*load_tensors(path, error=TrackError), path)

    @classmethod
    def from_bytes(cls, data: bytes, path: Path | str) -> Self:
        """Read a track out of something larger.

        Args:
            data: what `to_bytes` made.
            path: where it comes from, for errors.

        Raises:
            TrackError: as `load`.
        """
        return cls._checked(*unpack_tensors(data, path=path, error=TrackError), path)

    @classmethod
    def _checked(cls, tensors: dict[str, np.ndarray], header: dict[str, Any], path: Path | str) -> Self:
        remedy = "Make it again with: dreamactor signals extract VIDEO -o TRACK.safetensors"
        if header.get("format") != FORMAT:
            raise TrackError("not a motion track", path=path, remedy=remedy)
        if header.get("version") not in READABLE:
            known = " or ".join(str(version) for version in READABLE)
            raise TrackError(f"motion track version {header.get('version')}, not {known}", path=path, remedy=remedy)
        try:
            values: dict[str, Any] = {**tensors, **_from_header(header)}
            return cls(**values)
        except (KeyError, TypeError, ValueError) as problem:
            raise TrackError(f"incomplete motion track ({problem})", path=path, remedy=remedy) from problem
        except TrackError as problem:
            raise TrackError(problem.problem, path=path, remedy=remedy) from problem


def _from_header(header: dict[str, Any]) -> dict[str, Any]:
    return {
        "focal_px": header["focal_px"],
        "frame_size": tuple(header["frame_size"]),
        "fps": Fraction(header["fps"]),
        "trackers": header["trackers"],
        "source_sha256": header["source_sha256"],
    }


def _check(track: MotionTrack) -> None:
    frame_count = len(track.joints_cam_m) if track.joints_cam_m.ndim else 0
    if frame_count == 0:
        raise TrackError("a motion track needs at least one frame")
    for name, tail in _FRAME_ARRAYS.items():
        array = getattr(track, name)
        if array is None and name in _OPTIONAL:
            continue
        _check_array(name, array, frame_count, tail)
    if track.principal_px.shape != (2,) or not np.isfinite(track.principal_px).all():
        raise TrackError("principal_px must be two finite numbers")
    if not (np.isfinite(track.focal_px) and track.focal_px > 0):
        raise TrackError(f"focal_px must be positive, not {track.focal_px}")
    if min(track.frame_size) <= 0 or track.fps <= 0:
        raise TrackError(f"frame size {track.frame_size} and rate {track.fps} must be positive")


def _check_array(name: str, array: np.ndarray, frame_count: int, tail: tuple[int | None, ...]) -> None:
    shape_fits = (
        array.ndim == 1 + len(tail)
        and array.shape[0] == frame_count
        and all(want is None or want == got for want, got in zip(tail, array.shape[1:], strict=True))
    )
    if not shape_fits:
        wanted = ("T=" + str(frame_count), *("any" if n is None else str(n) for n in tail))
        raise TrackError(f"{name} has shape {array.shape}, not ({', '.join(wanted)})")
    if not np.isfinite(array).all():
        raise TrackError(f"{name} holds values that are not finite")
    if name in _SHARES and (array.min() < 0 or array.max() > 1):
        raise TrackError(f"{name} leaves [0, 1]")


def _same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.array_equal(a, b)
    return a == b
