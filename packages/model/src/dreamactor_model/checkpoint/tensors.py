"""Tensors in safetensors files: written a shard at a time, listed without reading them, read one by one.

Never more than one shard is in memory beside what the caller holds.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import write_json
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
SHARD_BYTES = 5_000_000_000


@dataclass(frozen=True)
class TensorSpec:
    """What a tensor to be written will be."""

    shape: tuple[int, ...]
    dtype: torch.dtype

    @classmethod
    def of(cls, tensor: Tensor) -> "TensorSpec":
        return cls(tuple(tensor.shape), tensor.dtype)

    @property
    def size_bytes(self) -> int:
        return self.dtype.itemsize * torch.Size(self.shape).numel()


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in a file; `dtype` is the format's own name, such as F32 or BF16."""

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: str

    def read(self) -> Tensor:
        """The tensor in memory of its own; nothing of the file stays mapped."""
        with open_tensors(self.path) as file:
            return file.get_tensor(self.name).clone()


# Writing


def write_tensors(
    folder: Path, specs: Mapping[str, TensorSpec], make: Callable[[str], Tensor], *, shard_bytes: int = SHARD_BYTES
) -> list[str]:
    """Write `make(name)` for every name into as many files as their size asks for; returns the files' names.

    Args:
        make: called once a name, in the order of `specs`; what it returned is dropped with its shard.
    """
    shards = _plan(specs, shard_bytes)
    files = _file_names(len(shards))
    for file, names in zip(files, shards, strict=True):
        save_file({name: _fitting(make(name), specs[name], name) for name in names}, folder / file)
    if len(files) == 1:
        return files
    weight_map = {name: file for file, names in zip(files, shards, strict=True) for name in names}
    total = sum(spec.size_bytes for spec in specs.values())
    write_json(folder / INDEX_FILE, {"metadata": {"total_size": total}, "weight_map": weight_map})
    return [*files, INDEX_FILE]


def _plan(specs: Mapping[str, TensorSpec], shard_bytes: int) -> list[list[str]]:
    """Names in order, cut where the next tensor would make a shard too large (a larger tensor has one of its own)."""
    shards: list[list[str]] = [[]]
    filled = 0
    for name, spec in specs.items():
        if shards[-1] and filled + spec.size_bytes > shard_bytes:
            shards.append([])
            filled = 0
        shards[-1].append(name)
        filled += spec.size_bytes
    return shards


def _file_names(count: int) -> list[str]:
    if count == 1:
        return [WEIGHTS_FILE]
    return [f"model-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)]


def _fitting(tensor: Tensor, spec: TensorSpec, name: str) -> Tensor:
    if TensorSpec.of(tensor) != spec:
        raise ValueError(f"{name} should be {spec}, is {TensorSpec.of(tensor)}")
    return tensor


# Reading


@contextmanager
def open_tensors(path: Path, device: torch.device | str = "cpu") -> Iterator[Any]:
    """safetensors' own handle of a file.

    Raises:
        WeightsError: missing, cut short, or not safetensors at all.
    """
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            yield file
    except (SafetensorError, struct.error, OSError) as problem:
        raise WeightsError(
            f"not a whole safetensors file ({problem})", path=path, remedy="Copy or download it again"
        ) from problem


def list_tensors(paths: Iterable[Path]) -> dict[str, StoredTensor]:
    """Every tensor of these files by name; only their headers are read.

    Raises:
        WeightsError: a file is not whole, or two files hold the same name.
    """
    found: dict[str, StoredTensor] = {}
    for path in paths:
        with open_tensors(path) as file:
            for name in file.keys():  # noqa: SIM118 - not a mapping
                if name in found:
                    raise WeightsError(f"{name} is in {found[name].path.name} too", path=path)
                part = file.get_slice(name)
                found[name] = StoredTensor(path, name, tuple(part.get_shape()), part.get_dtype())
    return found


def read_file(path: Path, device: torch.device | str) -> dict[str, Tensor]:
    """All tensors of one file, on a device.

    Raises:
        WeightsError: not whole.
    """
    with open_tensors(path, device) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        # On the CPU they are views of the mapped file: they would change, or crash the process, with it.
        return {name: tensor.clone() if tensor.is_cpu else tensor for name, tensor in tensors.items()}
