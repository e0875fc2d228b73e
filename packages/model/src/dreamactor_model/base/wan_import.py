"""A Wan base as a model of ours: its own weights unchanged, and every branch it lacks adding zero.

The result is made tensor by tensor: in memory are one tensor of the base and one shard of the result, never a model.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import atomic_directory, sha256_file
from torch import Tensor

from dreamactor_model.actor import DreamActor
from dreamactor_model.base.newborn import Newborn
from dreamactor_model.base.prompt import CachedPrompt
from dreamactor_model.base.source import WanBase
from dreamactor_model.checkpoint import MANIFEST_FILE, save_checkpoint
from dreamactor_model.checkpoint.folder import fill_folder
from dreamactor_model.checkpoint.models import describe
from dreamactor_model.checkpoint.tensors import SHARD_BYTES, TensorSpec
from dreamactor_model.dit.precision import to_bfloat16
from dreamactor_model.presets import ActorConfig, Preset
from dreamactor_model.training.finished import VAE_FOLDER, VAE_KEY
from dreamactor_model.vae import VideoVAE

Precision = Literal["keep", "float32", "bfloat16"]
_READABLE = {"F32", "BF16", "F16"}
_REF_ATTN, _SELF_ATTN = ".ref_attn.", ".attn1."
_PROMPT, _PATCHES = "dit.prompt_SC", "dit.patch_embedding.weight"


@dataclass(frozen=True)
class ImportChoices:
    """What the base leaves open.

    Attributes:
        prompt: the one prompt's embedding.
        seed: of the parts that the base lacks.
        precision: of the transformer, as `to_bfloat16` means it; "keep" is bfloat16 where the base is, so that nothing
            is lost.
        area: pixels of a frame that the model will be used at until it is trained.
        shard_bytes: more than this goes into another file.
    """

    prompt: CachedPrompt
    seed: int = 0
    precision: Precision = "keep"
    area: int = 960 * 640
    shard_bytes: int = SHARD_BYTES


def import_wan(base: WanBase, vae_source: Path, output: Path, preset: Preset, choices: ImportChoices) -> None:
    """Write a whole model folder: the actor, and inside it the VAE. It appears in one step, or not at all.

    Args:
        vae_source: the base's VAE, a folder in the diffusers layout.

    Raises:
        WeightsError: the base or its VAE is not whole, or does not fit the preset.
    """
    if output.exists() and not (output / MANIFEST_FILE).is_file():
        raise WeightsError("exists and is no checkpoint", path=output, remedy="Choose another folder with -o")
    recipe = Recipe(base, preset.actor, choices)
    with atomic_directory(output) as temporary:
        _import_vae(vae_source, temporary / VAE_FOLDER, preset)
        about = _about(base, preset, choices) | {VAE_KEY: sha256_file(temporary / VAE_FOLDER / MANIFEST_FILE)}
        config = describe(recipe.actor, about)
        fill_folder(temporary, config, recipe.specs, recipe.make, shard_bytes=choices.shard_bytes)


class Recipe:
    """How each tensor of an actor is made from the base; `actor` is empty, `specs` says what its tensors are.

    Raises:
        WeightsError: the base has too little, too much, or something of another shape or type.
    """

    def __init__(self, base: WanBase, config: ActorConfig, choices: ImportChoices) -> None:
        self._base, self._config, self._choices = base, config, choices
        self._newborn = Newborn(config, choices.seed)
        with torch.device("meta"):
            actor = DreamActor(config)
        self._check({name: tuple(tensor.shape) for name, tensor in actor.state_dict().items()})
        halved = copy.deepcopy(actor)
        to_bfloat16(halved.dit)
        self.actor = halved if self._is_halved(halved) else actor
        self.specs = {name: TensorSpec.of(tensor) for name, tensor in self.actor.state_dict().items()}

    def _check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """See from names, shapes and types alone that everything will be there."""
        kinds = {tensor.dtype for tensor in self._base.tensors.values()}
        if not kinds <= _READABLE:
            raise WeightsError(
                f"holds tensors of type {', '.join(sorted(kinds - _READABLE))}, which are not the base's own weights",
                path=self._base.folder,
                remedy="Give the edition in F32, BF16 or F16",
            )
        needed = {source: shape for name, shape in shapes.items() if (source := self._source(name)) is not None}
        patches = needed["patch_embedding.weight"]
        needed["patch_embedding.weight"] = (patches[0], self._config.latent_channels, *patches[2:])
        stored = self._base.tensors
        misshaped = [name for name in needed.keys() & stored.keys() if stored[name].shape != needed[name]]
        for problem, names in (
            ("lacks", needed.keys() - stored.keys()),
            ("has too much:", stored.keys() - needed.keys()),
            ("has other shapes than its config.json:", misshaped),
        ):
            if names:
                raise WeightsError(f"the base {problem} {', '.join(sorted(names)[:4])}", path=self._base.folder)

    def make(self, name: str) -> Tensor:
        """The tensor of that name."""
        return self._value(name).to(self.specs[name].dtype).contiguous()

    def _is_halved(self, halved: DreamActor) -> bool:
        """Whether the transformer is to be bfloat16: if told so, or if nothing is lost by it."""
        if self._choices.precision != "keep":
            return self._choices.precision == "bfloat16"
        sources = [self._source(name) for name, tensor in halved.state_dict().items() if tensor.dtype == torch.bfloat16]
        return all(self._base.tensors[source].dtype == "BF16" for source in sources if source is not None)

    def _value(self, name: str) -> Tensor:
        if self._newborn.has(name):
            return self._newborn.tensor(name)
        if name == _PROMPT:
            return self._choices.prompt.embedding_SC
        source = self._source(name)
        assert source is not None
        stored = self._base.tensors[source]
        if _REF_ATTN in name and ".to_out." in name:
            return torch.zeros(stored.shape)
        value = stored.read()
        if not torch.isfinite(value).all():
            raise WeightsError(f"{stored.name} holds values that are no numbers", path=stored.path)
        return self._with_pose_columns(value) if name == _PATCHES else value

    def _source(self, name: str) -> str | None:
        """The base's tensor that one of ours comes from: its own, or for Ref Attn that of self-attention."""
        if self._newborn.has(name) or name == _PROMPT:
            return None
        return name.removeprefix("dit.").replace(_REF_ATTN, _SELF_ATTN)

    def _with_pose_columns(self, weight: Tensor) -> Tensor:
        pose = weight.new_zeros(len(weight), self._config.motion_channels, *weight.shape[2:])
        return torch.cat([weight, pose], dim=1)


def _import_vae(source: Path, folder: Path, preset: Preset) -> None:
    vae = VideoVAE.from_diffusers(source)
    theirs = (vae.config.latent_channels, vae.config.spatial_stride)
    ours = (preset.actor.latent_channels, preset.actor.spatial_stride)
    if theirs != ours:
        raise WeightsError(
            f"the VAE makes {theirs[0]} channels at 1/{theirs[1]} of the side, the base reads {ours[0]} at 1/{ours[1]}",
            path=source,
            remedy="Give the VAE that the base was trained with",
        )
    save_checkpoint(vae, folder, about={"imported_from": source.name})


def _about(base: WanBase, preset: Preset, choices: ImportChoices) -> dict[str, Any]:
    return {
        "stage": "base",
        "steps": 0,
        "preset": preset.name,
        "area": choices.area,
        "prompt": choices.prompt.origin,
        "seed": choices.seed,
        "imported_from": {file.name: sha256_file(file) for file in base.files},
    }
