"""The files of a Wan base: where they lie, in which layout, and each tensor by diffusers' name without reading it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamactor_core.errors import WeightsError

from dreamactor_model.base.names import DIFFUSERS_MARK, ORIGINAL_MARK, diffusers_name
from dreamactor_model.checkpoint.tensors import StoredTensor, list_tensors

TRANSFORMER_FOLDER, SECOND_TRANSFORMER_FOLDER = "transformer", "transformer_2"
_PICKLES = (".pt", ".pth", ".bin", ".ckpt")
_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.safetensors")
_AGAIN = "Copy or download it again"


@dataclass(frozen=True)
class WanBase:
    """A base on disk: its tensors by diffusers' name, and what its config.json says (empty where there is none)."""

    folder: Path
    tensors: Mapping[str, StoredTensor]
    config: Mapping[str, Any]

    @property
    def files(self) -> list[Path]:
        return sorted({tensor.path for tensor in self.tensors.values()})


def open_base(source: Path) -> WanBase:
    """Find and list a base.

    Args:
        source: a folder in the diffusers layout (or its transformer/), a folder in the original layout, or one
            safetensors file of either.

    Raises:
        WeightsError: no base there, files missing or cut short, pickles, or another model.
    """
    if not source.exists():
        raise WeightsError("no such file or folder", path=source, remedy="Check the path")
    if source.is_file():
        return WanBase(source.parent, _by_diffusers_name(source, list_tensors([_safe(source)])), {})
    if (source / SECOND_TRANSFORMER_FOLDER).is_dir():
        raise WeightsError(
            "holds two transformers, one for much noise and one for little; ours is one network for all of it",
            path=source,
            remedy="Give a base of one transformer, such as Wan2.1-T2V or Wan2.2-TI2V-5B",
        )
    folder = source / TRANSFORMER_FOLDER if (source / TRANSFORMER_FOLDER).is_dir() else source
    tensors = _by_diffusers_name(folder, list_tensors(_find_files(folder)))
    return WanBase(folder, tensors, _read_json(folder / "config.json") if (folder / "config.json").exists() else {})


def _find_files(folder: Path) -> list[Path]:
    """Every file of one set of weights, shards by their index or by their numbers."""
    indices, files = sorted(folder.glob("*.safetensors.index.json")), sorted(folder.glob("*.safetensors"))
    if len(indices) == 1:
        return _indexed_files(indices[0])
    if not files:
        raise _nothing_found(folder)
    stems = {file.name if (shard := _SHARD.fullmatch(file.name)) is None else shard["stem"] for file in files}
    if len(stems) > 1:
        names = ", ".join(sorted(stems))
        raise WeightsError(f"holds several sets of weights ({names})", path=folder, remedy="Give one file, not DIR")
    shard = _SHARD.fullmatch(files[0].name)
    if shard is not None and len(files) != int(shard["count"]):
        raise WeightsError(f"{len(files)} of {int(shard['count'])} shards are here", path=folder, remedy=_AGAIN)
    return files


def _indexed_files(index: Path) -> list[Path]:
    try:
        names = sorted(set(_read_json(index)["weight_map"].values()))
    except (KeyError, AttributeError, TypeError) as problem:
        raise WeightsError("not an index of safetensors files", path=index, remedy=_AGAIN) from problem
    files = [index.parent / Path(name).name for name in names]
    for file in files:
        if not file.is_file():
            raise WeightsError("the index names this file, which is not there", path=file, remedy=_AGAIN)
    return files


def _nothing_found(folder: Path) -> WeightsError:
    pickles = [path.name for path in sorted(folder.iterdir()) if path.suffix in _PICKLES]
    if pickles:
        return _pickle_refused(folder / pickles[0])
    return WeightsError(
        "no safetensors files here",
        path=folder,
        remedy=f"Give a folder that holds {TRANSFORMER_FOLDER}/ or diffusion_pytorch_model*.safetensors",
    )


def _safe(path: Path) -> Path:
    if path.suffix in _PICKLES:
        raise _pickle_refused(path)
    return path


def _pickle_refused(path: Path) -> WeightsError:
    return WeightsError(
        "a pickle can run any program when it is read",
        path=path,
        remedy="Give the base's safetensors edition (the public ones have one)",
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text())
    except ValueError as problem:
        raise WeightsError(f"not JSON ({problem})", path=path, remedy=_AGAIN) from problem
    if not isinstance(read, dict):
        raise WeightsError("not a JSON object", path=path, remedy=_AGAIN)
    return read


def _by_diffusers_name(place: Path, tensors: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    if DIFFUSERS_MARK in tensors:
        return dict(tensors)
    # Some editions put all names under a common prefix.
    prefix = next((name.removesuffix(ORIGINAL_MARK) for name in tensors if name.endswith(ORIGINAL_MARK)), None)
    if prefix is None:
        raise WeightsError(
            f"not a Wan transformer: neither {DIFFUSERS_MARK} nor {ORIGINAL_MARK} is among its tensors",
            path=place,
            remedy="Give the transformer's weights, not those of the VAE or the text encoder",
        )
    return {diffusers_name(name.removeprefix(prefix)): tensor for name, tensor in tensors.items()}
