"""Where training data comes from and how it is drawn."""

from typing import Self

from pydantic import Field, model_validator

from dreamactor_core.settings.base import Section


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


class IngestSettings(Section):
    """How raw videos become rows of the manifest."""

    default_licence: str | None = Field(None, description="Licence of clips that state none; none quarantines them.")
    default_consent: str | None = Field(None, description="Consent of clips that state none; none quarantines them.")
    min_frames: int = Field(25, ge=1, description="Shorter clips are rejected.")
    val_share: float = Field(0.1, ge=0, le=0.5, description="Share of the identities that only validate.")
    test_share: float = Field(0.1, ge=0, le=0.5, description="Share of the identities that only test.")
    hard_link: bool = Field(
        False, description="Link clips instead of copying them: no second copy on disk, but edits reach both."
    )
    threads: int = Field(2, ge=1, description="Videos inspected at the same time.")


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
    sampling: SamplingDataSettings = SamplingDataSettings()
