"""Where training data comes from and how it is drawn."""

from pydantic import Field

from dreamactor_core.settings.base import Section


class SyntheticSettings(Section):
    """The people who do not exist."""

    people: int = Field(24, ge=1, description="How many identities.")
    clips: int = Field(48, ge=1, description="How many clips.")
    frames: int = Field(33, ge=5, description="Frames of each clip.")
    size: int = Field(256, ge=64, description="Width and height in pixels.")
    seed: int = Field(0, ge=0, description="Equal seeds give equal frames.")
    processes: int = Field(2, ge=1, description="Rendering worker processes.")


class IngestSettings(Section):
    """How raw videos become rows of the manifest."""

    default_licence: str | None = Field(None, description="Licence of clips that state none; none quarantines them.")
    default_consent: str | None = Field(None, description="Consent of clips that state none; none quarantines them.")


class SamplingDataSettings(Section):
    """How training windows are drawn from clips (paper 4.1)."""

    min_frames: int = Field(25, ge=1, description="Shortest training window, 4n+1.")
    max_frames: int = Field(121, ge=1, description="Longest training window, 4n+1.")
    area: int = Field(960 * 640, ge=64 * 64, description="Pixels of a training frame; the aspect is kept.")


class DatasetSettings(Section):
    """All of the data set."""

    synthetic: SyntheticSettings = SyntheticSettings()
    ingest: IngestSettings = IngestSettings()
    sampling: SamplingDataSettings = SamplingDataSettings()
