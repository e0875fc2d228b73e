"""Videos of a held-out clip while training: what cannot be shown is told before the first step."""

from pathlib import Path

import pytest
import torch
from dreamactor_core.errors import InputError
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.dataset import ShardsSettings
from dreamactor_dataset.shards.pack import pack_clips
from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.training.diffusion.validation import ValidationClip
from dreamactor_model.vae import VideoVAE
from micro_model import MICRO_VAE

AREA = 64 * 64


def test_clips_without_a_held_out_one_are_refused_at_once(clip_manifest: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_checkpoint(VideoVAE(MICRO_VAE), tmp_path / "vae", about={})
    index = pack_clips(clip_manifest, tmp_path / "shards", ShardsSettings(), area=AREA)
    settings = load_settings({"dataset.sampling.area": AREA, "dataset.sampling.min_frames": 9})
    with pytest.raises(InputError, match="no clip of split 'val'"):
        ValidationClip(index, tmp_path / "vae", settings, uses_face=True)
