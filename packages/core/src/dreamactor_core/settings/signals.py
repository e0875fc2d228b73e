"""How control signals are read from video."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from dreamactor_core.settings.base import Section
from dreamactor_core.settings.retarget import RetargetSettings

Guidance = Literal["sphere", "landmarks", "mesh"]


class MmposeSettings(Section):
    """The whole-body estimator that runs in an environment of its own."""

    checkpoint: Path | None = Field(None, description="Weights of the mmpose tracker: a .pth file of its config.")
    config: str = Field(
        "rtmw-l_8xb320-270e_cocktail14-384x288",
        description="Name of a whole-body config that ships with mmpose, or the path of a .py file.",
    )
    python: Path = Field(
        Path(".venvs/mmpose/bin/python"), description="Interpreter of the environment that `make setup-mmpose` builds."
    )
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="Where mmpose runs: auto, cpu, cuda:N."
    )
    start_deadline_s: float = Field(300.0, gt=0, description="How long mmpose may take to load.")
    frame_deadline_s: float = Field(60.0, gt=0, description="How long mmpose may take for one frame.")


class SignalsSettings(Section):
    """Tracker choice and its knobs."""

    tracker: Literal["embedded", "mmpose"] = Field("embedded", description="Which estimator reads the video.")
    mmpose: MmposeSettings = MmposeSettings()
    person: int | None = Field(
        None,
        ge=1,
        description="Whom to follow, counted by appearance and from left to right; the largest if not given.",
    )
    person_box_px: tuple[float, float, float, float] | None = Field(
        None, description="Where the one to follow is in the first frame, x0 y0 x1 y1; it goes before `person`."
    )
    fit: Literal["none", "anny", "smplx"] = Field(
        "none",
        description="Body fitted to what the embedded tracker sees: none, anny (CC0) or smplx; takes about as long "
        "again as tracking.",
    )
    smplx_file: Path | None = Field(None, description="SMPL-X as `dreamactor signals convert-smplx` writes it.")
    processes: int = Field(2, ge=1, description="Worker processes when many clips are tracked.")
    shard_clips: int = Field(
        256, ge=1, description="Clips of a manifest after which a broken run need not start again."
    )
    tracked_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of training clips with exact truth that are tracked too; the others rely on their truth.",
    )
    clip_deadline_s: float = Field(
        3600.0, gt=0, description="Longest time for one clip of a manifest; then its process is stopped."
    )
    retarget: RetargetSettings = RetargetSettings()
    guidance: Guidance = Field(
        "sphere",
        description="What control maps show, in training and after: a skeleton and a head sphere, a skeleton and face "
        "landmarks, or a mesh of body and head.",
    )
    threads: int = Field(1, ge=1, description="Threads of each estimator.")
    min_score: float = Field(0.5, gt=0, lt=1, description="Score below which nothing counts as found.")
    field_of_view_deg: float = Field(
        55.0,
        gt=5,
        lt=150,
        description="Diagonal field of view assumed of every camera (55 = a 42 mm lens on full frame).",
    )
    smooth_image_s: float = Field(
        0.03, ge=0, description="Width (sigma) of the smoothing of image points and head turns."
    )
    smooth_depth_s: float = Field(0.1, ge=0, description="Width of the smoothing of depths along the body.")
    smooth_root_s: float = Field(0.4, ge=0, description="Width of the smoothing of the body's distance.")
    smooth_units_s: float = Field(
        0.06, ge=0, description="Width of the smoothing of expression flicker; blinks and closing lips stay as deep."
    )
    max_gap_s: float = Field(0.4, ge=0, description="Longest gap that is bridged; longer ones become invisible.")
    speech_encoder: str | None = Field(
        None, description="Folder of a Whisper, wav2vec2 or HuBERT checkpoint that reads speech; none: log-mel."
    )
