"""Models to and from checkpoints. Loading fills an empty model file by file: the weights are never in memory twice."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import atomic_directory
from torch import Tensor, nn

from dreamactor_model.checkpoint.folder import fill_folder, read_config, verify_checkpoint, weight_files
from dreamactor_model.checkpoint.tensors import SHARD_BYTES, StoredTensor, TensorSpec, list_tensors, read_file
from dreamactor_model.presets import ActorConfig, AudioConfig, RefinerConfig, VAEConfig

if TYPE_CHECKING:
    from dreamactor_model.actor import DreamActor
    from dreamactor_model.encoders.audio import AudioEncoder
    from dreamactor_model.encoders.face import FaceMotionEncoder
    from dreamactor_model.refiner import Refiner
    from dreamactor_model.vae import VideoVAE

Model = TypeVar("Model", "DreamActor", "VideoVAE", "FaceMotionEncoder", "AudioEncoder", "Refiner")
# By name: a trainer that needs no VAE should not wait seconds for diffusers.
_KINDS: dict[str, tuple[str, type]] = {
    "DreamActor": ("actor", ActorConfig),
    "VideoVAE": ("vae", VAEConfig),
    "FaceMotionEncoder": ("face", ActorConfig),
    "AudioEncoder": ("audio", AudioConfig),
    "Refiner": ("refiner", RefinerConfig),
}
_NAMED = 4


def save_checkpoint(
    model: "DreamActor | VideoVAE | FaceMotionEncoder | AudioEncoder | Refiner",
    folder: Path | str,
    *,
    about: Mapping[str, Any],
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Write a model; an older checkpoint at `folder` is replaced in one step.

    Args:
        about: how it came to be (stage, step, data version ...): any JSON.
        shard_bytes: more than this goes into another file.
    """
    state = model.state_dict()

    def make(name: str) -> Tensor:
        return state[name].detach().cpu().contiguous()

    specs = {name: TensorSpec.of(tensor) for name, tensor in state.items()}
    with atomic_directory(folder) as temporary:
        fill_folder(temporary, describe(model, about), specs, make, shard_bytes=shard_bytes)


def describe(
    model: "DreamActor | VideoVAE | FaceMotionEncoder | AudioEncoder | Refiner", about: Mapping[str, Any]
) -> dict[str, Any]:
    """What config.json says of a model beside its format."""
    kind, _ = _KINDS[type(model).__name__]
    return {"kind": kind, "config": asdict(model.config), "about": dict(about)}


def load_checkpoint(folder: Path | str, model_class: type[Model], *, device: torch.device | str = "cpu") -> Model:
    """The model that `save_checkpoint` wrote, in evaluation mode, its tensors of the types they were written in.

    Raises:
        WeightsError: missing, damaged, of another kind, or weights that do not fit the configuration.
    """
    folder = Path(folder)
    kind, config_class = _KINDS[model_class.__name__]
    verify_checkpoint(folder)
    written = read_config(folder)
    if written["kind"] != kind:
        raise WeightsError(f"holds a model of kind {written['kind']!r}, not {kind!r}", path=folder)
    with torch.device("meta"):
        model = model_class(_config(config_class, written["config"], folder))
    files = weight_files(folder)
    _check_fit(model, list_tensors(files), folder)
    for file in files:
        model.load_state_dict(read_file(file, device), strict=False, assign=True)
    empty = [name for name, tensor in chain(model.named_parameters(), model.named_buffers()) if tensor.is_meta]
    if empty:
        raise AssertionError(f"not part of any checkpoint, so never filled: {empty}")
    return model.eval()


def _check_fit(model: nn.Module, stored: Mapping[str, StoredTensor], folder: Path) -> None:
    wanted = model.state_dict()
    misshaped = [name for name in wanted.keys() & stored.keys() if tuple(wanted[name].shape) != stored[name].shape]
    problems = {
        "missing": wanted.keys() - stored.keys(),
        "unknown": stored.keys() - wanted.keys(),
        "of another shape": misshaped,
    }
    said = [f"{label}: {_few(names)}" for label, names in problems.items() if names]
    if said:
        raise WeightsError(f"the weights do not fit their configuration ({'; '.join(said)})", path=folder)


def _few(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return ", ".join(ordered[:_NAMED]) + more


def _config(config_class: type, values: Mapping[str, Any], folder: Path) -> Any:
    # JSON has no tuples; the configurations have no lists.
    frozen = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    try:
        return config_class(**frozen)
    except TypeError as problem:
        raise WeightsError(f"the configuration is of another version ({problem})", path=folder) from problem
