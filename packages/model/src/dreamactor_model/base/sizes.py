"""Which preset a base is: its tensors' shapes tell, and its config.json what shapes cannot."""

import re
from collections.abc import Mapping
from typing import Any

from dreamactor_core.errors import WeightsError

from dreamactor_model.base.source import WanBase
from dreamactor_model.presets import PRESETS, ActorConfig, Preset

_IMAGE_MARKS = ("condition_embedder.image_embedder.", "img_emb.", ".add_k_proj.", ".k_img.")
_OTHER_MODELS = {"vace_": "VACE", "face_adapter": "Wan-Animate", "control_adapter": "Wan-Fun-Control"}
# Of all public sizes; a file without config.json says nothing of its heads.
_HEAD_DIM = 128
_BLOCK = re.compile(r"blocks\.(\d+)\.")


def find_preset(base: WanBase) -> Preset:
    """The preset whose base this is.

    Raises:
        WeightsError: none, or a model that is no text-to-video base.
    """
    sizes = read_sizes(base)
    for preset in PRESETS.values():
        if not _differences(sizes, preset.actor):
            return preset
    said = ", ".join(f"{name} {value}" for name, value in sizes.items())
    raise WeightsError(f"no preset has these sizes: {said}", path=base.folder, remedy=f"Presets: {', '.join(PRESETS)}")


def check_preset(base: WanBase, preset: Preset) -> None:
    """See that a base is that preset's.

    Raises:
        WeightsError: it is not; says in which sizes.
    """
    different = _differences(read_sizes(base), preset.actor)
    if different:
        raise WeightsError(
            f"the base does not fit the preset {preset.name}: {', '.join(different)}",
            path=base.folder,
            remedy="Leave --preset out to have it found",
        )


def read_sizes(base: WanBase) -> dict[str, float]:
    """The base's sizes, by the names of `ActorConfig`.

    Raises:
        WeightsError: tensors are missing, or it is no text-to-video base.
    """
    _refuse_other_models(base)
    patch = _shape(base, "patch_embedding.weight", 5)
    outputs = _shape(base, "proj_out.weight", 2)[0]
    ffn_dim, dim = _shape(base, "blocks.0.ffn.net.0.proj.weight", 2)
    channels = outputs // (patch[3] * patch[4])
    if patch[1] != channels:
        raise _image_base(base, f"it reads {patch[1]} channels and writes {channels}")
    blocks = {int(place[1]) for name in base.tensors if (place := _BLOCK.match(name))}
    return {
        "dim": dim,
        "layers": max(blocks) + 1,
        "heads": _configured(base.config, ("num_attention_heads", "num_heads"), dim // _HEAD_DIM),
        "ffn_dim": ffn_dim,
        "latent_channels": channels,
        "patch_size": patch[3],
        "text_dim": _shape(base, "condition_embedder.text_embedder.linear_1.weight", 2)[1],
        "frequency_dim": _shape(base, "condition_embedder.time_embedder.linear_1.weight", 2)[1],
        "eps": _configured(base.config, ("eps",), ActorConfig.eps),
    }


def _refuse_other_models(base: WanBase) -> None:
    if any(mark in name for mark in _IMAGE_MARKS for name in base.tensors):
        raise _image_base(base, "it has a CLIP image branch")
    for mark, model in _OTHER_MODELS.items():
        if any(mark in name for name in base.tensors):
            raise WeightsError(f"is {model}, a model built on Wan, not its base", path=base.folder)


def _image_base(base: WanBase, why: str) -> WeightsError:
    # Without its image channels and mask such a network is none that was ever trained: an import would not be exact.
    return WeightsError(
        f"is an image-to-video base ({why}), where ours takes images as reference tokens",
        path=base.folder,
        remedy="Give the text-to-video base of this size, or Wan2.2-TI2V-5B",
    )


def _shape(base: WanBase, name: str, axes: int) -> tuple[int, ...]:
    stored = base.tensors.get(name)
    if stored is None or len(stored.shape) != axes:
        raise WeightsError(f"not a whole Wan transformer: no {name} of {axes} axes", path=base.folder)
    return stored.shape


def _configured(config: Mapping[str, Any], keys: tuple[str, ...], otherwise: float) -> float:
    return next((config[key] for key in keys if key in config), otherwise)


def _differences(sizes: Mapping[str, float], actor: ActorConfig) -> list[str]:
    return [
        f"{name} {value} instead of {getattr(actor, name)}"
        for name, value in sizes.items()
        if value != getattr(actor, name)
    ]
