"""Fragments as safetensors files, one a rank: hashed while they are written, read by slices.

Written here by hand, and not by the safetensors library, for two reasons: the hash comes from the same pass over the
bytes, and neither the write nor the hash holds Python's global lock while the training goes on.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

import torch
from dreamactor_core.errors import TrainingError
from safetensors import safe_open
from torch import Tensor

from dreamactor_model.training.checkpoints.fragments import Fragment

SUFFIX = ".safetensors"
_CHUNK_BYTES = 1 << 24
_STARTS = "starts"


def write_fragments(
    path: Path, fragments: Sequence[Fragment], kinds: Mapping[str, list[Tensor]]
) -> dict[str, int | str]:
    """Write the fragments' elements of every kind, forced to disk.

    Args:
        kinds: flat tensors on the CPU, by what they are (weights, averages, moments).

    Returns:
        What the checkpoint's manifest says of the file: bytes and sha256.
    """
    digest = hashlib.sha256()
    with path.open("wb", buffering=0) as file:
        size = _put(file, digest, _header(fragments, kinds))
        for flats in kinds.values():
            for fragment in fragments:
                # By way of numpy, a tensor's only view as bytes without a copy.
                size += _put(file, digest, memoryview(fragment.of(flats).numpy()).cast("B"))
        os.fsync(file.fileno())
    return {"bytes": size, "sha256": digest.hexdigest()}


def _header(fragments: Sequence[Fragment], kinds: Mapping[str, list[Tensor]]) -> bytes:
    """Safetensors: the length of a JSON table, the table, then all bytes in a row."""
    starts = {fragment.name: fragment.start for fragment in fragments}
    table: dict[str, object] = {"__metadata__": {_STARTS: json.dumps(starts)}}
    position = 0
    for kind in kinds:
        for fragment in fragments:
            end = position + 4 * fragment.count
            entry = {"dtype": "F32", "shape": [fragment.count], "data_offsets": [position, end]}
            table[f"{kind}/{fragment.name}"] = entry
            position = end
    encoded = json.dumps(table).encode()
    encoded += b" " * (-len(encoded) % 8)
    return len(encoded).to_bytes(8, "little") + encoded


def _put(file: IO[bytes], digest: "hashlib._Hash", data: bytes | memoryview) -> int:
    view = memoryview(data)
    for start in range(0, len(view), _CHUNK_BYTES):
        chunk = view[start : start + _CHUNK_BYTES]
        digest.update(chunk)
        while chunk:
            chunk = chunk[file.write(chunk) :]
    return len(view)


def read_fragments(files: Iterable[Path], fragments: Sequence[Fragment], kinds: Mapping[str, list[Tensor]]) -> None:
    """Fill the fragments' places in the flat tensors of every kind, from what any number of ranks wrote.

    Raises:
        TrainingError: the files do not hold all of it: they are of other parameters.
    """
    missing = {(kind, fragment.name): fragment.count for kind in kinds for fragment in fragments}
    folder = Path()
    for path in files:
        folder = path.parent
        with safe_open(path, framework="pt") as file:
            starts: dict[str, int] = json.loads(file.metadata()[_STARTS])
            for fragment in fragments:
                if fragment.name in starts:
                    for kind, flats in kinds.items():
                        missing[kind, fragment.name] -= _copy(file, kind, fragment, starts[fragment.name], flats)
    lacking = sorted({name for (_, name), count in missing.items() if count != 0})
    if lacking:
        raise TrainingError(f"the checkpoint does not fit the model: {lacking[0]} is not whole in it", path=folder)


@torch.no_grad()
def _copy(file: safe_open, kind: str, fragment: Fragment, start: int, flats: list[Tensor]) -> int:
    """The elements that the file's fragment and ours have in common; returns how many."""
    stored = file.get_slice(f"{kind}/{fragment.name}")
    first = max(fragment.start, start)
    last = min(fragment.start + fragment.count, start + stored.get_shape()[0])
    if last <= first:
        return 0
    fragment.of(flats)[first - fragment.start : last - fragment.start].copy_(stored[first - start : last - start])
    return last - first
