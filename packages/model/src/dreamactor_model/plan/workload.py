"""What is to be planned: a preset, its clips, the machine and how the training is cut."""

from dataclasses import dataclass, field

from dreamactor_core.errors import SettingsError
from dreamactor_core.settings.training import ActivationCheckpointing, DiffusionStageSettings

from dreamactor_model.presets import Preset, latent_frames, video_frames


@dataclass(frozen=True)
class TrainingLoad:
    """The clips of one rank and step.

    Attributes:
        width, height: of a frame in pixels.
        frames: of a clip, 4n + 1.
        references: reference images of a clip.
        batch: clips.
    """

    preset: Preset
    width: int
    height: int
    frames: int
    references: int = 1
    batch: int = 1

    def __post_init__(self) -> None:
        token_px = self.preset.actor.spatial_stride * self.preset.actor.patch_size
        if self.width % token_px or self.height % token_px:
            raise SettingsError(
                f"{self.width}x{self.height} is not a whole number of tokens of {token_px} pixels",
                remedy=f"Choose multiples of {token_px}",
            )
        if self.frames < 1 or self.frames != video_frames(self.latent_frames):
            raise SettingsError(f"a clip cannot have {self.frames} frames", remedy="Choose 4n + 1, such as 73")

    @property
    def latent_frames(self) -> int:
        """Latent frames of a clip."""
        return latent_frames(self.frames)

    @property
    def tokens_a_frame(self) -> int:
        """Patches of latents in a frame."""
        token_px = self.preset.actor.spatial_stride * self.preset.actor.patch_size
        return (self.width // token_px) * (self.height // token_px)

    @property
    def tokens(self) -> int:
        """Of a rank and step, those of references too."""
        return self.batch * (self.latent_frames + self.references) * self.tokens_a_frame


@dataclass(frozen=True)
class Machine:
    """Where it is to run.

    Attributes:
        gpus: ranks.
        memory_bytes: of each.
        tflops: dense bf16 TFLOP/s of each.
        mfu: share of them that training is taken to reach.
        reserve: share of the memory left to the attention kernels, NCCL and the allocator's fragments.
    """

    gpus: int
    memory_bytes: int
    tflops: float
    mfu: float = 0.5
    reserve: float = 0.08


@dataclass(frozen=True)
class Cut:
    """How weights, activations and tokens are divided and kept."""

    zero_stage: int
    checkpointing: ActivationCheckpointing
    sequence_parallel: int = 1
    bytes_a_weight: int = 2
    stage: DiffusionStageSettings = field(default_factory=lambda: DiffusionStageSettings(steps=1))
