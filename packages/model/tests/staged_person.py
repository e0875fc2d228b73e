"""An animator whose trackers are made up: what is tracked is what a test says, and the model is the smallest one."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings import Settings
from dreamactor_core.video import VideoWriter
from dreamactor_model.animate import Animator
from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.vae import VideoVAE
from micro_model import MICRO_ACTOR, MICRO_VAE, awake_actor
from swaying_person import SIDE

Seen = Callable[[list[np.ndarray]], MotionTrack]


class MadeUpTracker:
    """Says of frames what a test wants it to say."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def track(
        self,
        frames: Iterable[np.ndarray],
        fps: Fraction,
        frame_size: tuple[int, int],
        source_sha256: str,
    ) -> MotionTrack:
        return self._seen(list(frames))


def loaded_model(max_references: int = 3) -> LoadedModel:
    """Random weights, canvas of 64 x 64."""
    torch.manual_seed(0)
    about = {"area": SIDE * SIDE, "preset": "tiny", "manifest_sha256": "0" * 64}
    vae = VideoVAE(MICRO_VAE).eval()
    return LoadedModel(Path("nowhere"), awake_actor(MICRO_ACTOR), vae, about, torch.device("cpu"), max_references)


def staged_animator(driving: Seen, reference: Seen, settings: Settings, model: LoadedModel) -> Animator:
    """An animator of made-up tracks."""
    return Animator(model, MadeUpTracker(driving), MadeUpTracker(reference), settings)


def write_shades(path: Path, shades: Iterable[int]) -> Path:
    """A driving video whose frames are one shade each, with a gradient that tells where a crop was cut."""
    ramp = np.tile(np.arange(SIDE, dtype=np.uint8)[None, :, None], (SIDE, 1, 3))
    with VideoWriter(path, Fraction(25), size=(SIDE, SIDE), crf=1) as writer:
        for shade in shades:
            writer.write(ramp + np.uint8(shade))
    return path
