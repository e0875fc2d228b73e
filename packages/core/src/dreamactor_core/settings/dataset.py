"""Where training data comes from and how it is drawn."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from dreamactor_core.settings.base import Section
from dreamactor_core.settings.curate import CurateSettings
from dreamactor_core.settings.ingest import IngestSettings


class SyntheticSettings(Section):
    """The people who do not exist."""

    people: int = Field(24, ge=1, description="How many identities.")
    clips: int = Field(48, ge=1, description="How many clips.")
    frames: int = Field(33, ge=5, description="Frames of each clip.")
    size: int = Field(256, ge=64, description="Width and height in pixels.")
    seed: int = Field(0, ge=0, description="Equal seeds give equal frames.")
    processes: int = Field(2, ge=1, description="Rendering worker processes.")


class FacesSettings(Section):
    """Close-ups of synthetic faces, for the face motion encoder."""

    people: int = Field(24, ge=1, description="How many identities, over all splits.")
    images: int = Field(
        16, ge=4, multiple_of=4, description="Pictures of each; every expression is shown by four people."
    )
    size: int = Field(192, ge=64, multiple_of=2, description="Width and height of a picture in pixels.")
    seed: int = Field(
        100, ge=0, description="Equal seeds give equal pictures; clips of an equal seed show these people."
    )
    processes: int = Field(2, ge=1, description="Rendering worker processes.")


class ShardsSettings(Section):
    """How kept clips are packed for training."""

    clips: int = Field(64, ge=1, description="Clips of a shard.")
    quality: int = Field(90, ge=50, le=100, description="JPEG quality of frames and face crops.")
    full_colour: bool = Field(
        False, description="Keep the colour of frames at full resolution, for small ones; videos have half of it."
    )
    fineness: int = Field(
        1,
        ge=1,
        description="Sides of packed frames in those of training frames: a refiner may learn to make finer ones.",
    )
    threads: int = Field(2, ge=1, description="Shards packed at the same time.")
    loss_budget: float = Field(
        0.01, ge=0, le=1, description="Share of the clips that may turn out damaged before a training gives up."
    )


class BalanceSettings(Section):
    """How often clips are shown, by what they show: weights of sampling, no copies (paper 4.1).

    Of each property some values have a share of the samples; clips of other values share what is left.
    """

    framing: dict[str, float] = Field({"full": 0.5}, description="Shares by framing, e.g. full: 0.5 (paper 4.1).")
    category: dict[str, float] = Field({}, description="Shares by category, e.g. dance: 0.3.")
    source: dict[str, float] = Field({}, description="Shares by source, e.g. nersemble: 0.05.")

    @field_validator("framing", "category", "source")
    @classmethod
    def _check_shares(cls, shares: dict[str, float]) -> dict[str, float]:
        if any(share <= 0 for share in shares.values()) or sum(shares.values()) > 1 + 1e-9:
            raise ValueError("shares must be above 0 and make no more than 1 together")
        return shares


class SamplingDataSettings(Section):
    """How training windows are drawn from clips (paper 3.3, 4.1; design 5)."""

    min_frames: int = Field(25, ge=1, description="Shortest training window, 4n+1.")
    max_frames: int = Field(121, ge=1, description="Longest training window, 4n+1.")
    area: int = Field(960 * 640, ge=64 * 64, description="Pixels of a training frame; the aspect is kept.")
    carried_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the windows that start inside their clip, their first latent given clean.",
    )
    inside_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the other windows that start inside their clip too, with nothing given: else windows "
        "much shorter than their clips show beginnings alone.",
    )
    context_latents: int = Field(
        3, ge=1, description="Latents encoded before a carried window, so that its first one looks as at inference."
    )
    min_references: int = Field(1, ge=1, le=3, description="Fewest reference frames of a training sample.")
    max_references: int = Field(3, ge=1, le=3, description="Most reference frames of a training sample.")
    drop_reference: float = Field(0.1, ge=0, le=1, description="Share of the samples without references (guidance).")
    drop_motion: float = Field(0.1, ge=0, le=1, description="Share of the samples without motion (guidance).")
    truth_share: float = Field(
        0.0, ge=0, le=1, description="Share of the windows that use the true track where a clip has one."
    )
    deal: int = Field(8, ge=1, description="Batches of like cost in a row, so that as many ranks finish together.")
    attention_tokens: int = Field(
        13_000, ge=1, description="Tokens of a sample at which its attention costs as much as all the rest."
    )
    bone_shape: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Deviation of the random factors (in logarithms) on bone lengths in control maps.",
    )
    face_colour: float = Field(
        0.0, ge=0, le=0.5, description="Deviation of random brightness, contrast and tint of the driving face crops."
    )

    def at_most(self, frames: int | None) -> Self:
        """The same with no window longer than `frames`; None changes nothing."""
        if frames is None:
            return self
        longest = min(frames, self.max_frames)
        return self.model_copy(update={"min_frames": min(self.min_frames, longest), "max_frames": longest})

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        for name in ("min_frames", "max_frames"):
            if getattr(self, name) % 4 != 1:
                raise ValueError(
                    f"{name} must be 4n+1 (the VAE packs four frames into a latent), not {getattr(self, name)}"
                )
        if self.min_frames > self.max_frames or self.min_references > self.max_references:
            raise ValueError("a minimum is larger than its maximum")
        return self


class DatasetSettings(Section):
    """All of the data set."""

    synthetic: SyntheticSettings = SyntheticSettings()
    faces: FacesSettings = FacesSettings()
    ingest: IngestSettings = IngestSettings()
    curate: CurateSettings = CurateSettings()
    shards: ShardsSettings = ShardsSettings()
    balance: BalanceSettings = BalanceSettings()
    sampling: SamplingDataSettings = SamplingDataSettings()
