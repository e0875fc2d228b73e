"""A finished stage 2 of the tiny preset that has learnt nothing, and stage 3 after it by the real trainer.

The ranks are forked from a server that has imported everything: seconds a run.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from dreamactor_core.manifest import write_manifest
from dreamactor_core.settings import Settings, load_settings
from dreamactor_dataset.shards.pack import INDEX, pack_clips
from dreamactor_model.actor import DreamActor
from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.presets import get_preset
from dreamactor_model.training.data.latent_encoding import encode_clips
from dreamactor_model.training.finished import save_finished
from dreamactor_model.training.run import trainer
from dreamactor_model.training.run.journal import read_journal
from dreamactor_model.training.spec import JOURNAL, VIDEOS, TrainingSpec
from dreamactor_model.vae import VideoVAE
from made_up_clips import write_clip
from safetensors.torch import load_file
from torch import Tensor, nn

from benchmarks.training_parts.ranks import run_ranks

STEPS = 2
_AREA = 64 * 64


@dataclass(frozen=True)
class SmallTraining:
    """Two steps of stage 3.

    Attributes:
        prepared: folder of what `prepare` made.
        folder: of this run.
        changes: of settings.
    """

    prepared: Path
    folder: Path
    changes: dict[str, Any] = field(default_factory=dict)

    def settings(self) -> Settings:
        """In full precision, if nothing else is said."""
        return settings(self.prepared, **{"training.precision": "float32", **self.changes})

    def spec(self) -> TrainingSpec:
        """Of stage 3."""
        return TrainingSpec(
            stage="3",
            settings=self.settings().model_dump(mode="json"),
            manifest=self.prepared / "shards" / INDEX,
            starts_from={"2": self.prepared / "models" / "stage2"},
            work_dir=self.folder / "work",
            output=self.folder / "weights",
            configuration="small",
            without_data="small",
            checkpoint=None,
        )

    def run(self, world: int) -> list[int | None]:
        """Train with so many ranks. Returns their exit statuses."""
        (self.folder / "work").mkdir(parents=True)
        return run_ranks(_train, self.spec().write(0), world, self.folder, timeout_s=300.0)

    def log(self) -> str:
        """What rank 0 printed."""
        return (self.folder / "rank-0.log").read_text()

    def losses(self) -> list[float]:
        """Of each step."""
        return [entry["loss"] for entry in read_journal(self.folder / "work" / JOURNAL)]

    def weights(self) -> dict[str, Tensor]:
        """The finished ones."""
        return load_file(self.folder / "weights" / "model.safetensors")

    def video(self) -> Path:
        """The one made after the last step."""
        return self.folder / "work" / VIDEOS / f"step-{STEPS:06d}.mp4"


def _train(spec: Path, rank: int) -> int:
    # The trainer reads its rank from the environment.
    return trainer.main(spec)


def settings(prepared: Path, **changes: object) -> Settings:
    """Of all trainings here."""
    return load_settings(
        {
            "dataset.sampling.area": _AREA,
            "dataset.sampling.min_frames": 9,
            "dataset.sampling.max_frames": 13,
            "dataset.sampling.max_references": 1,
            "training.stage3.steps": STEPS,
            "training.stage3.learning_rate": 1e-4,
            "training.stage3.warmup_steps": 0,
            # What does not learn must come through too.
            "training.stage3.train": ("base",),
            "training.micro_batches": 2,
            "training.processes": 1,
            "training.zero_stage": 0,
            "training.activation_checkpointing": "none",
            "training.log_every": 1,
            "training.validation_steps": 2,
            "training.models_dir": str(prepared / "models"),
            "training.latents_dir": str(prepared / "latents"),
            "sampling.segment_frames": 13,
            **changes,
        }
    )


def prepare(folder: Path) -> None:
    """Clips, their latents, and the model that the stages start from; none of its branches is zero."""
    rows = [write_clip(folder, f"train-{index}", "train", index, 40 + 90 * index) for index in range(2)]
    rows.append(write_clip(folder, "val-0", "val", 0.5, 120))
    write_manifest(folder / "manifest.parquet", rows)
    chosen = settings(folder)
    index = pack_clips(folder / "manifest.parquet", folder / "shards", chosen.dataset.shards, area=_AREA)
    torch.manual_seed(0)
    save_checkpoint(VideoVAE(get_preset("tiny").vae), folder / "models" / "vae", about={})
    encode_clips(chosen, index)
    actor = DreamActor(get_preset("tiny").actor)
    for block in actor.dit.blocks:
        nn.init.normal_(block.face_attn.to_out[0].weight, std=0.02)
    nn.init.normal_(actor.dit.proj_out.weight, std=0.05)
    save_finished(actor, folder / "models" / "vae", folder / "models" / "stage2", about={})
