"""The folder of a checkpoint: its configuration, and a manifest that covers every byte."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dreamactor_core.errors import WeightsError
from dreamactor_core.files import sha256_file, write_json
from torch import Tensor

from dreamactor_model.checkpoint.tensors import INDEX_FILE, SHARD_BYTES, WEIGHTS_FILE, TensorSpec, write_tensors

FORMAT = 1
CONFIG_FILE = "config.json"
MANIFEST_FILE = "manifest.json"


def fill_folder(
    folder: Path,
    config: Mapping[str, Any],
    specs: Mapping[str, TensorSpec],
    make: Callable[[str], Tensor],
    *,
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Write a checkpoint into an empty folder, tensor by tensor; the caller makes the folder appear in one step.

    Args:
        config: kind, config and about.
        make: the tensor of a name, asked for once each.
    """
    write_json(folder / CONFIG_FILE, {"format": FORMAT, **config})
    names = [CONFIG_FILE, *write_tensors(folder, specs, make, shard_bytes=shard_bytes)]
    write_json(folder / MANIFEST_FILE, {"files": {name: sha256_file(folder / name) for name in names}})


def read_about(folder: Path | str) -> dict[str, Any]:
    """How a checkpoint came to be, as `save_checkpoint` was told.

    Raises:
        WeightsError: missing or damaged.
    """
    about: dict[str, Any] = read_config(Path(folder))["about"]
    return about


def read_config(folder: Path) -> dict[str, Any]:
    """What config.json says; the weights are not looked at.

    Raises:
        WeightsError: missing, changed or of another format.
    """
    _verify_file(folder / CONFIG_FILE, _read_manifest(folder)[CONFIG_FILE])
    written: dict[str, Any] = json.loads((folder / CONFIG_FILE).read_text())
    if written.get("format") != FORMAT:
        raise WeightsError(f"checkpoint format {written.get('format')}, this version reads {FORMAT}", path=folder)
    return written


def verify_checkpoint(folder: Path | str) -> None:
    """Compare every file with the manifest.

    Raises:
        WeightsError: no checkpoint, or a file is missing or has changed.
    """
    folder = Path(folder)
    for name, expected in _read_manifest(folder).items():
        _verify_file(folder / name, expected)


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a checkpoint.

    Raises:
        WeightsError: no checkpoint.
    """
    return [folder / name for name in sorted(_read_manifest(folder)) if name.endswith(".safetensors")]


def _verify_file(path: Path, expected: str) -> None:
    if not path.is_file():
        raise WeightsError("the checkpoint lacks this file", path=path)
    if sha256_file(path) != expected:
        raise WeightsError("the file is not the one its manifest names (sha256 differs)", path=path)


def _read_manifest(folder: Path) -> dict[str, str]:
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise WeightsError("not a checkpoint: no manifest.json", path=folder, remedy="Train one or check the path")
    try:
        files = json.loads(path.read_text())["files"]
    except (ValueError, KeyError, TypeError) as problem:
        raise WeightsError(f"the manifest is damaged ({problem})", path=path) from problem
    if not isinstance(files, dict) or CONFIG_FILE not in files or not {WEIGHTS_FILE, INDEX_FILE} & files.keys():
        raise WeightsError("the manifest is damaged: it does not name all files", path=path)
    return files
