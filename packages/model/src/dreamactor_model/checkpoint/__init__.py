"""Weights on disk: one folder a model, whole or absent, and refused when anything in it does not fit.

    config.json                  format, kind of model, its configuration, how it came to be
    model.safetensors            the weights; from a certain size on, model-00001-of-0000N.safetensors
    model.safetensors.index.json which file holds which tensor, where there are several (as other tools write it)
    manifest.json                the sha256 of all of them

Tensors keep their types. No pickle is ever read. `folder.py` knows the folder, `tensors.py` the safetensors in it,
`models.py` the models.
"""

from dreamactor_model.checkpoint.folder import CONFIG_FILE, MANIFEST_FILE, read_about, verify_checkpoint
from dreamactor_model.checkpoint.models import load_checkpoint, save_checkpoint

__all__ = ["CONFIG_FILE", "MANIFEST_FILE", "load_checkpoint", "read_about", "save_checkpoint", "verify_checkpoint"]
