"""Which landmarks the face bundle calls rigid. It keeps them in a protocol buffer; its wire format is walked by hand.

Only the calibration of heads asks: its result is a file of our own.
"""

from collections.abc import Iterator

import numpy as np

# Field numbers of the bundle's messages.
_METADATA_BASIS = 2
_BASIS_ID, _BASIS_WEIGHT = 1, 2
# Wire types.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def rigid_landmarks(message: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Indices (N,) int64 of the landmarks that move little with expression, and their weights (N,)."""
    basis = [dict_of_lists(entry) for entry in dict_of_lists(message)[_METADATA_BASIS]]
    indices = [int.from_bytes(entry[_BASIS_ID][0], "little") if _BASIS_ID in entry else 0 for entry in basis]
    weights = [np.frombuffer(entry[_BASIS_WEIGHT][0], dtype="<f4")[0] for entry in basis]
    return np.array(indices), np.array(weights, dtype=np.float64)


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
