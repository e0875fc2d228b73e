"""Faces on disk for the face motion encoder: one file a person, JPEG pictures with what is true of them.

Pictures are compressed as any footage is: a set of thousands stays small and loads at once.
Legend: N faces, S side of a picture, U face units.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from dreamactor_core.errors import DecodeError, InputError
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.files import load_tensors, require_file, save_tensors, sha256_file, write_json
from dreamactor_core.manifest import Split

FACE_LIST = "faces.json"
MARGIN = 8 / 7
"""Side of a picture by the side of the face crop in its middle: a crop may move a little and still see no border."""
LIGHT_TRUTHS = ("key_side", "key_height", "key_strength", "ambient")
_FORMAT = 1
_JPEG_QUALITY = 93
_REMEDY = "Make it with: dreamactor dataset synthesize-faces"


@dataclass(frozen=True, eq=False)
class FaceTruth:
    """What is true of N faces.

    Attributes:
        expressions: (N,) int64 number of the expression; equal numbers mean equal units.
        units: (N, U) float32 in [0, 1].
        angles_rad: (N, 3) float32 yaw, pitch, roll of the head against the camera (`signals.head_angles`).
        light: (N, 4) float32 of `LIGHT_TRUTHS`.
        points: (N, 3, 2) float32 where left eye, right eye and mouth of the face at rest lie, from the picture's top
            left corner, in sides of the picture.
    """

    expressions: np.ndarray
    units: np.ndarray
    angles_rad: np.ndarray
    light: np.ndarray
    points: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence["FaceTruth"]) -> "FaceTruth":
        """Several, one after the other."""
        return cls(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])})

    def __getitem__(self, which: np.ndarray) -> "FaceTruth":
        return FaceTruth(**{name: values[which] for name, values in vars(self).items()})


def write_faces(path: Path, images: Sequence[np.ndarray], truth: FaceTruth, stamp: str) -> None:
    """Write one person's faces.

    Args:
        path: a .safetensors file of that person alone.
        images: N pictures (S, S, 3) uint8.
        stamp: says what they follow from, see `stamp_of`.
    """
    import cv2

    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    jpegs = [cv2.imencode(".jpg", image[..., ::-1], quality)[1].ravel() for image in images]
    tensors = {"jpegs": np.concatenate(jpegs), "ends": np.cumsum([len(jpeg) for jpeg in jpegs]), **vars(truth)}
    save_tensors(path, tensors, {"stamp": stamp})


def stamp_of(path: Path) -> str | None:
    """The stamp of a file that `write_faces` wrote; None where there is none, or a damaged one."""
    if not path.exists():
        return None
    try:
        return str(load_tensors(path)[1].get("stamp"))
    except InputError:
        return None


def write_face_list(folder: Path, people: dict[str, Split], visible: dict[str, float], about: dict[str, Any]) -> Path:
    """Write the list that makes files a set.

    Args:
        people: name -> split; the faces of NAME lie in NAME.safetensors.
        visible: units that can be seen at all, with how much they change a picture.
        about: how the set came to be.
    """
    shards = {
        name: {"split": split, "sha256": sha256_file(_shard(folder, name))} for name, split in sorted(people.items())
    }
    path = folder / FACE_LIST
    write_json(path, {"format": _FORMAT, "people": shards, "visible_units": visible, "about": about})
    return path


@dataclass(frozen=True, eq=False)
class FaceSet:
    """The faces of one split, in order of their expressions, pictures still compressed.

    Attributes:
        jpegs: N pictures.
        truth: of each.
        people: (N,) int64 whose face it is, from 0 in order of names.
        visible: (U,) bool, units that can be seen at all.
    """

    jpegs: tuple[np.ndarray, ...]
    truth: FaceTruth
    people: np.ndarray
    visible: np.ndarray

    @classmethod
    def load(cls, folder: Path, split: Split) -> Self:
        """Read a split; it may be empty.

        Raises:
            InputError: no set, or a file of it is missing, damaged or not the one that the list names.
        """
        listed = read_face_list(folder)
        names = [name for name, shard in listed["people"].items() if shard["split"] == split]
        shards = [_read(_shard(folder, name), listed["people"][name]["sha256"]) for name in names]
        visible = np.array([unit in listed["visible_units"] for unit in ARKIT_UNITS])
        if not shards:
            return cls((), _no_truth(), np.zeros(0, np.int64), visible)
        truth = FaceTruth.joined([truth for _, truth in shards])
        people = np.repeat(np.arange(len(names)), [len(jpegs) for jpegs, _ in shards])
        order = np.argsort(truth.expressions, kind="stable")
        jpegs = [jpeg for jpegs, _ in shards for jpeg in jpegs]
        return cls(tuple(jpegs[index] for index in order), truth[order], people[order], visible)

    def __len__(self) -> int:
        return len(self.jpegs)

    def picture(self, index: int) -> np.ndarray:
        """(S, S, 3) uint8 RGB.

        Raises:
            DecodeError: it is no picture.
        """
        import cv2

        picture = cv2.imdecode(self.jpegs[index], cv2.IMREAD_COLOR)
        if picture is None:
            raise DecodeError(f"picture {index} of the face set is damaged", remedy=_REMEDY)
        return np.ascontiguousarray(picture[..., ::-1])


def read_face_list(folder: Path) -> dict[str, Any]:
    """What `write_face_list` wrote.

    Raises:
        InputError: missing, or of another format.
    """
    path = require_file(folder / FACE_LIST, remedy=_REMEDY)
    try:
        listed: dict[str, Any] = json.loads(path.read_text())
    except json.JSONDecodeError as problem:
        raise InputError(f"not valid JSON ({problem})", path=path, remedy=_REMEDY) from problem
    if listed.get("format") != _FORMAT:
        raise InputError(f"face set of format {listed.get('format')}, not {_FORMAT}", path=path, remedy=_REMEDY)
    return listed


def _shard(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"


def _read(path: Path, sha256: str) -> tuple[list[np.ndarray], FaceTruth]:
    tensors, _ = load_tensors(path)
    if sha256_file(path) != sha256:
        raise InputError("not the file that the list names (sha256 differs)", path=path, remedy=_REMEDY)
    ends = tensors.pop("ends")
    return np.split(tensors.pop("jpegs"), ends[:-1]), FaceTruth(**tensors)


def _no_truth() -> FaceTruth:
    def empty(*shape: int) -> np.ndarray:
        return np.zeros((0, *shape), np.float32)

    numbers = np.zeros(0, np.int64)
    return FaceTruth(numbers, empty(len(ARKIT_UNITS)), empty(3), empty(len(LIGHT_TRUTHS)), empty(3, 2))
