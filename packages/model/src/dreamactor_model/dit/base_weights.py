"""Loading a Wan base (the diffusers layout) into the transformer, so that step 0 equals it."""

from collections.abc import Mapping

import torch
from dreamactor_core.errors import WeightsError
from torch import Tensor

from dreamactor_model.dit.dit import DiT

# Parameters that the base lacks.
_OWN = (".ref_attn.", ".face_attn.", ".norm_face.", "prompt_SC")


@torch.no_grad()
def load_base(dit: DiT, state: Mapping[str, Tensor]) -> None:
    """Load the state dict of diffusers' `WanTransformer3DModel`; the new branches then add zero.

    Raises:
        WeightsError: a name or shape does not fit this configuration.
    """
    widened = dict(state)
    widened["patch_embedding.weight"] = _with_pose_columns(dit, state)
    try:
        missing, unexpected = dit.load_state_dict(widened, strict=False)
    except RuntimeError as problem:
        raise WeightsError(f"the base does not fit this preset ({problem})") from problem
    missing = [name for name in missing if not any(own in name for own in _OWN)]
    if missing or unexpected:
        raise WeightsError(f"the base does not fit this preset: missing {missing[:4]}, unexpected {unexpected[:4]}")
    dit.reset_branches()


def _with_pose_columns(dit: DiT, state: Mapping[str, Tensor]) -> Tensor:
    if "patch_embedding.weight" not in state:
        raise WeightsError("the base has no patch_embedding.weight", remedy="Give weights in the diffusers layout")
    weight = state["patch_embedding.weight"]
    pose = weight.new_zeros(len(weight), dit.config.pose_channels, *weight.shape[2:])
    return torch.cat([weight, pose], dim=1)
