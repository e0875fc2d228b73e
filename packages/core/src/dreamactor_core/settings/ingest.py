"""How raw videos become clips, and rows of the manifest."""

from typing import Self

from pydantic import Field, model_validator

from dreamactor_core.settings.base import Section


class IngestSettings(Section):
    """What is asked of raw videos, and how they are cut and made even."""

    default_source: str | None = Field(None, description="Source of clips that state none; none quarantines them.")
    default_licence: str | None = Field(None, description="Licence of clips that state none; none quarantines them.")
    default_consent: str | None = Field(None, description="Consent of clips that state none; none quarantines them.")
    min_frames: int = Field(25, ge=1, description="Shorter clips are rejected.")
    max_frames: int = Field(750, ge=2, description="Longer shots are parted into equal clips.")
    min_fps: float = Field(12.0, gt=0, description="Videos of fewer frames a second are rejected.")
    max_fps: float = Field(30.0, gt=0, description="Of faster videos every second, third ... frame is taken.")
    cut_contrast: float = Field(
        3.0, gt=1, description="How many times more than its neighbours a frame must change to begin a new shot."
    )
    lookalike_bits: int = Field(
        20, ge=0, le=63, description="Bits of 64 in which hashes of two clips may differ on average to be compared."
    )
    lookalike_likeness: float = Field(
        0.7, gt=0, le=1, description="Correlation of two clips' pictures and movements above which they are the same."
    )
    val_share: float = Field(0.1, ge=0, le=0.5, description="Share of the groups of people that only validate.")
    test_share: float = Field(0.1, ge=0, le=0.5, description="Share of the groups of people that only test.")
    hard_link: bool = Field(
        False, description="Link whole videos instead of copying them: no second copy on disk, but edits reach both."
    )
    processes: int = Field(2, ge=1, description="Videos worked on at the same time; with 1, in this process.")
    frame_deadline_s: float = Field(60.0, gt=0, description="Longest wait for a decoded frame.")
    video_deadline_s: float = Field(
        14400.0, gt=0, description="Longest time for one video; then its process is stopped."
    )

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        if self.max_frames < 2 * self.min_frames:
            # A shot just too long is parted into two clips that must not be too short.
            raise ValueError(f"max_frames must be at least twice min_frames, not {self.max_frames}")
        if self.max_fps < 2 * self.min_fps:
            raise ValueError(f"max_fps must be at least twice min_fps, not {self.max_fps}")
        return self
