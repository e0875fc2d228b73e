"""Checkpoints as versions of a registered MLflow model, and which of them is the champion.

A version is code (`served_model`) and weights by address and sha256: a folder of safetensors in the artifact store, and
never a pickle. Read in this order: `versions`, `registration`, `promotion`, `loading`.
"""

from dreamactor_model.registry.loading import (
    checkpoint_folder,
    pinned_address,
    resolve_champion,
)
from dreamactor_model.registry.promotion import promote_version, roll_back
from dreamactor_model.registry.registration import register_checkpoint

__all__ = [
    "checkpoint_folder",
    "pinned_address",
    "promote_version",
    "register_checkpoint",
    "resolve_champion",
    "roll_back",
]
