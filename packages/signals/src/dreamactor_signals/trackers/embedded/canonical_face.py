"""The average adult face that the landmark network was trained around: 468 points in metres, read from its own bundle.

The bundle keeps it as a protocol buffer; the few fields needed are read by walking the wire format.

Legend: V vertices.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import cos, radians, sin

import numpy as np

from dreamactor_signals.litert.wheels import face_member

# Field numbers of the bundle's messages.
_METADATA_MESH, _METADATA_BASIS = 1, 2
_MESH_VERTICES = 3
_BASIS_ID, _BASIS_WEIGHT = 1, 2
# Wire types.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FLOATS_PER_VERTEX = 5
_METRES_PER_UNIT = 0.01
# The bundle's face looks up by this much: measured as the mean difference to the true heads of the synthetic people.
_TILT_RAD = radians(8.5)


@dataclass(frozen=True)
class CanonicalFace:
    """An average face in head coordinates: x to the image's right, y down, z into the head.

    Attributes:
        points_head_m: (V, 3).
        rigid_indices: landmarks that move little with expression.
        rigid_weights: their weights.
    """

    points_head_m: np.ndarray
    rigid_indices: np.ndarray
    rigid_weights: np.ndarray


@cache
def canonical_face() -> CanonicalFace:
    """Read it from the face bundle.

    Raises:
        WeightsError: the bundle is not installed.
    """
    metadata = dict_of_lists(face_member("geometry_pipeline_metadata_landmarks.binarypb"))
    mesh = dict_of_lists(metadata[_METADATA_MESH][0])
    floats = np.frombuffer(b"".join(mesh[_MESH_VERTICES]), dtype="<f4")
    # The file's axes are y up and z out of the face.
    points = floats.reshape(-1, _FLOATS_PER_VERTEX)[:, :3] * np.array([1, -1, -1]) * _METRES_PER_UNIT
    c, s = cos(_TILT_RAD), sin(_TILT_RAD)
    points = points @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]).T
    basis = [dict_of_lists(entry) for entry in metadata[_METADATA_BASIS]]
    indices = [int.from_bytes(entry[_BASIS_ID][0], "little") if _BASIS_ID in entry else 0 for entry in basis]
    weights = [np.frombuffer(entry[_BASIS_WEIGHT][0], dtype="<f4")[0] for entry in basis]
    return CanonicalFace(points.astype(np.float64), np.array(indices), np.array(weights, dtype=np.float64))


def dict_of_lists(message: bytes) -> dict[int, list[bytes]]:
    """A protocol buffer message as field number -> raw values; integers little-endian."""
    fields: dict[int, list[bytes]] = {}
    for number, value in _walk(message):
        fields.setdefault(number, []).append(value)
    return fields


def _walk(message: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, place = _varint(message, place)
            yield number, value.to_bytes(8, "little")
            continue
        if wire == _BYTES:
            length, place = _varint(message, place)
        else:
            length = {_FIXED64: 8, _FIXED32: 4}[wire]
        yield number, message[place : place + length]
        place += length


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
