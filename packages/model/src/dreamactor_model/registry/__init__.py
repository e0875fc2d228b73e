"""Checkpoints as versions of a registered MLflow model, and which of them is the champion.

A version is weights by address and sha256, never a pickle: its source is a folder of safetensors in the artifact store.
Read in this order: `versions`, `registration`, `promotion`, `loading`.
"""

from dreamactor_model.registry.loading import checkpoint_folder, resolve_champion, resolve_checkpoint
from dreamactor_model.registry.promotion import promote_version, roll_back
from dreamactor_model.registry.registration import register_checkpoint

__all__ = [
    "checkpoint_folder",
    "promote_version",
    "register_checkpoint",
    "resolve_champion",
    "resolve_checkpoint",
    "roll_back",
]
