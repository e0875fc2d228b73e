"""4DHumans (PHALP) results: one person's SMPL pose and place in every frame.

Two layouts are read:

- the `.pkl` that `track.py` writes with joblib: frame name -> {"tid": ids, "smpl": [{"global_orient" (1, 3, 3),
  "body_pose" (23, 3, 3), "betas" (10,)}], "camera": [(3,)], "size": [(height, width)], "conf": [score]}, one list entry
  a person;
- an `.npz` of one person: global_orient (T, 3, 3) or (T, 1, 3, 3), body_pose (T, 23, 3, 3), camera (T, 3), size (2,)
  and confidence (T,), which may be absent (1).

Rotations turn SMPL's axes (x left, y up, z forward) into the camera's (x right, y down, z forward); `camera` is the
pelvis-free translation for the focal length of `external.camera`. Joints are those of a body model in that pose.

Legend: T frames, P = 24 joints of SMPL, B bones, J joints.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dreamactor_core.errors import InputError

from dreamactor_signals.body_models.bones import BONE_COUNT, BONE_PARENTS, bone_index
from dreamactor_signals.foreign.files import array_of, read_foreign
from dreamactor_signals.rotations import nearest_rotation

WHAT = "a 4DHumans result"
# SMPL's joints in their order; the last two are hands without fingers.
_SMPL = (
    *("pelvis", "left_thigh", "right_thigh", "spine_1", "left_shin", "right_shin", "spine_2", "left_foot"),
    *("right_foot", "spine_3", "left_toes", "right_toes", "neck", "left_clavicle", "right_clavicle", "head"),
    *("left_upper_arm", "right_upper_arm", "left_lower_arm", "right_lower_arm", "left_hand", "right_hand"),
)


@dataclass(frozen=True)
class Bodies:
    """One person.

    Attributes:
        rotations_cam: (T, B, 3, 3) of every bone from the T pose into camera space.
        pelvis_cam_m: (T, 3). confidence: (T,), 0 where the person is not there. frame_size: width, height.
    """

    rotations_cam: np.ndarray
    pelvis_cam_m: np.ndarray
    confidence: np.ndarray
    frame_size: tuple[int, int]


def read_4dhumans(path: Path, person: int | None = None) -> Bodies:
    """Read a result.

    Args:
        path: of either layout.
        person: PHALP's track number; None takes whoever is there in most frames.

    Raises:
        InputError: missing, damaged, of another layout, without that person, or a pickle that asks for more than data.
    """
    values = read_foreign(path)
    if "global_orient" not in values:
        values = _of_person(values, person, path)
    orient = np.asarray(values.get("global_orient"), dtype=np.float64)
    if orient.ndim == 4:
        values = {**values, "global_orient": orient[:, 0]}
    root = array_of(values, "global_orient", (None, 3, 3), path, what=WHAT)
    count = len(root)
    body = array_of(values, "body_pose", (count, 23, 3, 3), path, what=WHAT)
    camera = array_of(values, "camera", (count, 3), path, what=WHAT)
    height, width = array_of(values, "size", (2,), path, what=WHAT)
    confidence = np.ones(count)
    if "confidence" in values:
        confidence = array_of(values, "confidence", (count,), path, what=WHAT)
    if min(height, width) < 1 or ((camera[:, 2] <= 0) & (confidence > 0)).any():
        raise InputError(f"not {WHAT}: nobody stands in front of the camera", path=path)
    return Bodies(
        rotations_cam=_chained(nearest_rotation(np.concatenate([root[:, None], body], axis=1))),
        pelvis_cam_m=camera,
        confidence=np.clip(confidence, 0, 1),
        frame_size=(int(width), int(height)),
    )


def _chained(smpl: np.ndarray) -> np.ndarray:
    """(T, B, 3, 3) in camera space, from SMPL's rotations (T, P, 3, 3) against each parent; fingers stay straight."""
    local = np.tile(np.eye(3), (len(smpl), BONE_COUNT, 1, 1))
    local[:, [bone_index(name) for name in _SMPL]] = smpl[:, : len(_SMPL)]
    rotations = local.copy()
    for bone, parent in enumerate(BONE_PARENTS):
        if parent >= 0:
            rotations[:, bone] = rotations[:, parent] @ local[:, bone]
    return rotations


def _of_person(frames: Mapping[str, Any], person: int | None, path: Path) -> dict[str, Any]:
    """The arrays of one person out of PHALP's frames."""
    entries = list(frames.values())
    if not entries or not all(isinstance(entry, Mapping) and "tid" in entry and "smpl" in entry for entry in entries):
        raise InputError(f"not {WHAT}: neither frames with 'tid' and 'smpl' nor 'global_orient'", path=path)
    present = Counter(int(number) for entry in entries for number in entry["tid"])
    if not present:
        raise InputError("nobody was found in any frame", path=path)
    chosen = present.most_common(1)[0][0] if person is None else person
    if chosen not in present:
        raise InputError(f"no person {chosen}", path=path, remedy=f"There are {sorted(present)}")
    places = [_place(entry, chosen) for entry in entries]
    first = next(t for t, place in enumerate(places) if place is not None)
    try:
        return {
            "global_orient": _each(entries, places, lambda e, i: e["smpl"][i]["global_orient"], np.eye(3)[None]),
            "body_pose": _each(entries, places, lambda e, i: e["smpl"][i]["body_pose"], np.tile(np.eye(3), (23, 1, 1))),
            "camera": _each(entries, places, lambda e, i: e["camera"][i], np.array((0, 0, 1.0))),
            "confidence": _each(entries, places, lambda e, i: e["conf"][i], np.array(0.0)),
            "size": np.asarray(entries[first]["size"][places[first] or 0], dtype=np.float64),
        }
    except (KeyError, IndexError, TypeError, ValueError) as problem:
        raise InputError(f"not {WHAT}: an entry is incomplete ({problem})", path=path) from problem


def _place(entry: Mapping[str, Any], person: int) -> int | None:
    """Where a person stands in a frame's lists."""
    numbers = [int(number) for number in entry["tid"]]
    return numbers.index(person) if person in numbers else None


def _each(entries: list[Any], places: list[int | None], value: Any, missing: np.ndarray) -> np.ndarray:
    return np.array(
        [
            missing if place is None else np.asarray(value(entry, place), dtype=np.float64).reshape(missing.shape)
            for entry, place in zip(entries, places, strict=True)
        ]
    )
