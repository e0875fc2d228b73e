"""What the launcher tells the trainer: one JSON file, because the two share no memory."""

import hashlib
import json
from pathlib import Path
from typing import Self

from dreamactor_core.files import sha256_file, write_json
from dreamactor_core.settings import Settings
from pydantic import BaseModel, ConfigDict

from dreamactor_model.training.stages import Stage, base_folder, stage_settings, stage_title

# What lies in a work folder.
SPEC = "spec-{node}.json"
JOURNAL = "metrics.jsonl"
FINAL_METRICS = "metrics.json"
LOG = "trainer.log"
FAILURE = "failure.json"
CHECKPOINTS = "checkpoints"
HEARTBEAT = "heartbeat"
ENGINE = "deepspeed.json"
VIDEOS = "videos"

SHARED_TRAINING = {"seed", "micro_batches", "precision", "weight_decay", "gradient_clip", "ema_decay", "objective"}
"""Training settings that all stages share and that decide their weights. Ranks and ZeRO stage decide only the cost."""


class TrainingSpec(BaseModel):
    """One run of one stage.

    Attributes:
        settings: all settings, as values.
        manifest: the clips; of stage face, the list of its faces.
        starts_from: finished stages whose weights it needs.
        work_dir: training checkpoints and logs; named after everything that decides the weights, so that a resumed
            run never goes on from a checkpoint of another configuration.
        output: where the finished weights go.
        configuration: hash of everything that decides the weights.
        without_data: the same hash without the clips.
        checkpoint: where to go on from, its bytes checked; None: the start.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: Stage
    settings: dict[str, object]
    manifest: Path
    starts_from: dict[Stage, Path]
    work_dir: Path
    output: Path
    configuration: str
    without_data: str
    checkpoint: Path | None

    @property
    def title(self) -> str:
        """Name of the stage for people."""
        return stage_title(self.stage)

    def parsed_settings(self) -> Settings:
        """The settings again as objects."""
        return Settings(**self.settings)  # type: ignore[arg-type]

    def write(self, node: int) -> Path:
        """Put it into the work folder, where the ranks of that machine and the curious find it."""
        path = self.work_dir / SPEC.format(node=node)
        write_json(path, self.model_dump(mode="json"))
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` wrote."""
        return cls.model_validate_json(path.read_text())


def configuration_hash(settings: Settings, stage: Stage, manifest: Path | None, starts_from: dict[Stage, Path]) -> str:
    """Of everything that decides a stage's weights: its settings, the model's size, the clips, the earlier weights.

    Args:
        manifest: None leaves the clips out: runs that then agree differ in their data alone.
    """
    training = settings.training
    sees_motion = stage in ("1", "2", "3", "refiner", "lora")
    decisive = {
        "stage": {stage: stage_settings(training, stage).model_dump()},
        "shared": training.model_dump(include=SHARED_TRAINING),
        "preset": settings.model.preset,
        "sampling": None if stage == "face" else settings.dataset.sampling.model_dump(),
        "balance": settings.dataset.balance.model_dump() if sees_motion else None,
        "guidance": settings.signals.guidance if sees_motion else None,
        "manifest": None if manifest is None else sha256_file(manifest),
        "starts_from": {earlier: sha256_file(folder / "manifest.json") for earlier, folder in starts_from.items()},
    }
    if stage == "1":
        decisive["reference_attention"] = training.reference_attention
    base = base_folder(training) if stage == "1" else None
    if base is not None:
        decisive["base"] = sha256_file(base / "manifest.json")
    if stage == "refiner":
        decisive["sampling_of_clips"] = settings.sampling.model_dump()
    if stage == "audio":
        decisive["speech_encoder"] = settings.signals.speech_encoder
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
