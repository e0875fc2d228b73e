"""Stage vae: where its crops are taken from."""

from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.settings.dataset import SamplingDataSettings, ShardsSettings
from dreamactor_core.settings.training import VideoVaeStageSettings
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.shards.pack import pack_clips
from dreamactor_model.training.vae.vae_stage import VideoVaeTask
from dreamactor_model.vae import VideoVAE
from micro_model import MICRO_VAE

SIDE = 64


@pytest.fixture(scope="module")
def clips(clip_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> ClipSet:
    folder = tmp_path_factory.mktemp("crops") / "shards"
    index = pack_clips(clip_manifest, folder, ShardsSettings(quality=95, full_colour=True), area=SIDE * SIDE)
    return ClipSet.load(index, "train", SamplingDataSettings(min_frames=9, max_frames=9, area=SIDE * SIDE))


def _bright(clips: ClipSet, face_share: float) -> np.ndarray:
    """Share of bright pixels, which are the face's, in each of many crops."""
    row = VideoVaeStageSettings(steps=1, learning_rate=1e-3, batch=2, crop=16, face_share=face_share)
    task = VideoVaeTask(VideoVAE(MICRO_VAE), clips, row, seed=0)
    crops = np.concatenate([task.batch(step, 0)["video_BTHWC"][:, 0].numpy() for step in range(12)])
    return np.asarray((crops[..., 0] > 180).mean(axis=(1, 2)))


def test_crops_are_taken_around_faces_as_often_as_asked(clips: ClipSet) -> None:
    anywhere, around = _bright(clips, 0.0), _bright(clips, 1.0)
    assert (around > 0.02).all()
    assert around.mean() > 2 * anywhere.mean()


def test_where_faces_are_is_known_in_training_pixels(clips: ClipSet) -> None:
    center_px = clips.face_center_px(0, 4)
    assert center_px is not None
    x, y = center_px.astype(int)
    assert clips.frames(0, [4])[0, y, x, 0] > 180
