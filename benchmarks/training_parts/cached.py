"""The tiny preset's last stage on batches that lie in memory: real loop, engine and checkpoints, no data to wait for.

Legend: B batch, C channels, T video frames, F latent frames, R references, H W rows and columns.
"""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.settings.training import Condition
from dreamactor_model.actor import DreamActor
from dreamactor_model.presets import FACE_CROP_PX, get_preset
from dreamactor_model.training.checkpoints.commit import find_checkpoint
from dreamactor_model.training.diffusion.diffusion_stage import FlowObjective
from dreamactor_model.training.run.engine import join_ranks, make_engine
from dreamactor_model.training.run.journal import Journal
from dreamactor_model.training.run.loop import TrainingLoop
from dreamactor_model.training.spec import CHECKPOINTS, ENGINE, JOURNAL, TrainingSpec
from dreamactor_model.training.task import Batch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

_FRAMES, _SIDE = 25, 64
_DISTINCT = 4
STOPPED = 3
ALL_CONDITIONS: tuple[Condition, ...] = ("reference", "pose", "face")


@dataclass(frozen=True)
class CachedRun:
    """One run.

    Attributes:
        folder: of its checkpoints, journal and weights.
        steps: of the whole stage.
        changes: of settings, `training.` left out.
        stop_at: somebody sends SIGTERM when the batch of this step is made.
        conditions: that the model sees.
    """

    folder: Path
    steps: int
    changes: Mapping[str, Any] = field(default_factory=dict)
    stop_at: int | None = None
    conditions: tuple[Condition, ...] = ALL_CONDITIONS

    @property
    def work_dir(self) -> Path:
        """Checkpoints and journal."""
        return self.folder / "work"

    def settings(self) -> Settings:
        """Those of the tiny preset, shortened."""
        own = {
            "stage3.steps": self.steps,
            "stage3.warmup_steps": 0,
            "micro_batches": 2,
            "log_every": 1,
            "zero_stage": 1,
        }
        return load_settings({f"training.{name}": value for name, value in {**own, **self.changes}.items()})

    def weights(self) -> dict[str, Tensor]:
        """The finished ones."""
        return load_file(self.folder / "weights" / "model.safetensors")


class CachedTask:
    """A few random batches, shown in turn."""

    def __init__(self, conditions: tuple[Condition, ...] = ALL_CONDITIONS, stop_at: int | None = None) -> None:
        self._stop_at = stop_at
        torch.manual_seed(0)
        config = get_preset("tiny").actor
        self.module = FlowObjective(DreamActor(config), conditions)
        side, frames = _SIDE // config.spatial_stride, (_FRAMES + 3) // 4
        latents_BCFHW = (1, config.latent_channels, frames, side, side)
        generator = torch.Generator().manual_seed(1)
        self._batches = [_random_batch(latents_BCFHW, generator) for _ in range(_DISTINCT)]

    def batch(self, step: int, slot: int) -> Batch:
        """One of those in memory."""
        if step == self._stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return self._batches[(2 * step + slot) % _DISTINCT]

    def sample_ids(self, step: int, slot: int) -> list[str]:
        """Its number."""
        return [str((2 * step + slot) % _DISTINCT)]

    def save(self, folder: Path) -> Mapping[str, float]:
        """The weights alone."""
        folder.mkdir(parents=True, exist_ok=True)
        save_file(self.module.state_dict(), folder / "model.safetensors")
        return {}


def _random_batch(latents_BCFHW: tuple[int, ...], generator: torch.Generator) -> Batch:
    batch, channels, frames, height, width = latents_BCFHW

    def pixels(*shape: int) -> Tensor:
        # As smooth as pictures are: where a face lies in white noise has no gradient that means anything.
        coarse = torch.rand((*shape[:-2], 8, 8), generator=generator).flatten(0, -3)
        smooth = F.interpolate(coarse[None], shape[-2:], mode="bicubic", align_corners=False)[0]
        return (255 * smooth.clamp(0, 1)).byte().unflatten(0, shape[:-2])

    return {
        "latents_BCFHW": torch.randn(latents_BCFHW, generator=generator),
        "noise_BCFHW": torch.randn(latents_BCFHW, generator=generator),
        "timestep_B": torch.rand(batch, generator=generator),
        "carried_B": torch.zeros(batch, dtype=torch.bool),
        "references_BRCHW": torch.randn((batch, 1, channels, height, width), generator=generator),
        "control_BCTHW": pixels(batch, 6, _FRAMES, _SIDE, _SIDE),
        "crops_BTCHW": pixels(batch, _FRAMES, 3, FACE_CROP_PX, FACE_CROP_PX),
        "weights_BFHW": torch.ones(batch, frames, height, width),
        "keep_references_B": torch.ones(batch, dtype=torch.bool),
        "keep_pose_B": torch.ones(batch, dtype=torch.bool),
        "keep_face_B": torch.ones(batch, dtype=torch.bool),
    }


def make_loop(run: CachedRun, rank: int) -> TrainingLoop:
    """The loop of a rank that has met the others."""
    settings = run.settings()
    run.work_dir.mkdir(parents=True, exist_ok=True)
    spec = TrainingSpec(
        stage="3",
        settings=settings.model_dump(mode="json"),
        manifest=run.folder / "clips",
        starts_from={},
        work_dir=run.work_dir,
        output=run.folder / "weights",
        configuration="cached",
        without_data="cached",
        checkpoint=find_checkpoint(run.work_dir / CHECKPOINTS, "auto") if rank == 0 else None,
    )
    task = CachedTask(run.conditions, run.stop_at)
    engine = make_engine(task.module, settings.training, settings.training.stage3, record=run.work_dir / ENGINE)
    journal = Journal(run.work_dir / JOURNAL, title="cached", steps=run.steps) if rank == 0 else None
    return TrainingLoop(spec, task, engine, journal)


def train(run: CachedRun, rank: int) -> int:
    """A rank's whole life. Returns its exit status: 0, or `STOPPED` after a SIGTERM."""
    join_ranks()
    return 0 if make_loop(run, rank).run() else STOPPED
