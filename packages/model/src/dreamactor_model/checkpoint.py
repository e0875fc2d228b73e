"""Weights on disk: one folder a model, `config.json` + `model.safetensors` + `manifest.json` with the sha256 of both.

The folder appears whole or not at all, and loading refuses whatever does not fit. No pickle is ever read.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import atomic_directory, sha256_file, write_json
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from dreamactor_model.presets import ActorConfig, VAEConfig

if TYPE_CHECKING:
    from dreamactor_model.actor import DreamActor
    from dreamactor_model.encoders.face import FaceMotionEncoder
    from dreamactor_model.vae import VideoVAE

FORMAT = 1
CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
MANIFEST_FILE = "manifest.json"

Model = TypeVar("Model", "DreamActor", "VideoVAE", "FaceMotionEncoder")
# By name: a trainer that needs no VAE should not wait seconds for diffusers.
_KINDS: dict[str, tuple[str, type]] = {
    "DreamActor": ("actor", ActorConfig),
    "VideoVAE": ("vae", VAEConfig),
    "FaceMotionEncoder": ("face", ActorConfig),
}


def save_checkpoint(
    model: "DreamActor | VideoVAE | FaceMotionEncoder", folder: Path | str, *, about: Mapping[str, Any]
) -> None:
    """Write a model; an older checkpoint at `folder` is replaced in one step.

    Args:
        about: how it came to be (stage, step, data version ...): any JSON.
    """
    kind, _ = _KINDS[type(model).__name__]
    config = {"format": FORMAT, "kind": kind, "config": asdict(model.config), "about": dict(about)}
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with atomic_directory(folder) as temporary:
        write_json(temporary / CONFIG_FILE, config)
        save_file(state, temporary / WEIGHTS_FILE)
        files = {name: sha256_file(temporary / name) for name in (CONFIG_FILE, WEIGHTS_FILE)}
        write_json(temporary / MANIFEST_FILE, {"files": files})


def load_checkpoint(folder: Path | str, model_class: type[Model], *, device: torch.device | str = "cpu") -> Model:
    """The model that `save_checkpoint` wrote, in evaluation mode.

    Raises:
        WeightsError: missing, damaged, of another kind, or weights that do not fit the configuration.
    """
    folder = Path(folder)
    kind, config_class = _KINDS[model_class.__name__]
    written = _read_config(folder)
    if written["kind"] != kind:
        raise WeightsError(f"holds a model of kind {written['kind']!r}, not {kind!r}", path=folder)
    model = model_class(_config(config_class, written["config"], folder))
    try:
        model.load_state_dict(load_file(folder / WEIGHTS_FILE))
    except (RuntimeError, SafetensorError) as problem:
        raise WeightsError(f"the weights do not fit their configuration ({problem})", path=folder) from problem
    return model.eval().to(device)


def read_about(folder: Path | str) -> dict[str, Any]:
    """How a checkpoint came to be, as `save_checkpoint` was told.

    Raises:
        WeightsError: missing or damaged.
    """
    return _read_config(Path(folder))["about"]


def _read_config(folder: Path) -> dict[str, Any]:
    verify_checkpoint(folder)
    written = json.loads((folder / CONFIG_FILE).read_text())
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
        if not (folder / name).is_file():
            raise WeightsError("the checkpoint lacks this file", path=folder / name)
        if sha256_file(folder / name) != expected:
            raise WeightsError("the file is not the one its manifest names (sha256 differs)", path=folder / name)


def _read_manifest(folder: Path) -> dict[str, str]:
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise WeightsError("not a checkpoint: no manifest.json", path=folder, remedy="Train one or check the path")
    try:
        files = json.loads(path.read_text())["files"]
    except (ValueError, KeyError, TypeError) as problem:
        raise WeightsError(f"the manifest is damaged ({problem})", path=path) from problem
    if not isinstance(files, dict) or not {CONFIG_FILE, WEIGHTS_FILE} <= set(files):
        raise WeightsError("the manifest is damaged: it does not name all files", path=path)
    return files


def _config(config_class: type, values: Mapping[str, Any], folder: Path) -> Any:
    # JSON has no tuples; the configurations have no lists.
    frozen = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    try:
        return config_class(**frozen)
    except TypeError as problem:
        raise WeightsError(f"the configuration is of another version ({problem})", path=folder) from problem
