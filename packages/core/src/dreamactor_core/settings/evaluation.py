"""How a checkpoint is judged and promoted."""

from pathlib import Path
from typing import Literal, get_args

from pydantic import Field

from dreamactor_core.settings.base import Section

MetricName = Literal[
    "psnr_db",
    "ssim",
    "lpips",
    "fvd",
    "fid",
    "mobilenet_fd",
    "pose_error",
    "pose_near",
    "pose_found",
    "hand_error",
    "head_error_deg",
    "expression_error",
    "face_distance",
    "face_colour",
    "hair_colour",
    "clothes_colour",
    "flicker",
    "colour_drift",
    "join_jump",
]
HIGHER_IS_BETTER: dict[MetricName, bool] = {
    name: name in ("psnr_db", "ssim", "pose_near", "pose_found") for name in get_args(MetricName)
}
"""Every metric by name; `dreamactor_model.evaluation.metrics.table` says how each is made."""
SuiteName = Literal[
    "held-out",
    "body",
    "portrait",
    "cross-driven",
    "references",
    "bone-lengths",
    "controls",
    "stages",
    "release",
]
# The Inception file of FID as it went round after TensorFlow, in the layout of pytorch-fid.
_INCEPTION_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"


class PromotionSettings(Section):
    """The rule by which a candidate takes the alias `champion`."""

    metric: MetricName = Field("psnr_db", description="Metric the candidate must win on.")
    margin: float = Field(0.0, ge=0, description="By how much it must win.")
    may_lose: dict[MetricName, float] = Field(
        {"ssim": 0.02, "lpips": 0.02}, description="By how much it may be worse on others, each in its own unit."
    )


class EvaluationSettings(Section):
    """Held-out clips and the rule of promotion."""

    suite: SuiteName = Field(
        "held-out", description="What is evaluated where no --suite is named; its figures decide on promotion."
    )
    checkpoint: str = Field(
        "models/refiner",
        description="What is evaluated and registered: a checkpoint folder, an MLflow address, or released.",
    )
    clips: int = Field(4, ge=1, description="Held-out clips that are animated and measured.")
    frames: int = Field(33, ge=5, description="Frames of each clip that are animated, from its start.")
    frozen_list: str | None = Field(
        None,
        description="List of the clips that are measured (dreamactor dataset freeze); none: the first held-out ones.",
    )
    steps: int = Field(10, ge=1, description="Solver steps while evaluating.")
    resamples: int = Field(1000, ge=100, description="Bootstrap resamples of the confidence intervals.")
    few_samples: bool = Field(
        False,
        description="Report distances of sets (fvd, fid ...) even of fewer samples than features, where covariances "
        "are singular: good for comparing runs on the same clips, never with other people's figures.",
    )
    min_face_px: int = Field(
        48, ge=1, description="Width of the smallest face whose expression and identity are judged."
    )
    inception_path: Path | None = Field(
        None, description="The Inception file of FID (pt_inception-2015-12-05-6726825d.pth); none: FID is not reported."
    )
    inception_sha256: str = Field(
        _INCEPTION_SHA256, pattern="^[0-9a-f]{64}$", description="What that file must be; another one gives no FID."
    )
    reports_dir: str = Field("reports/evaluation", description="Folder of the reports, one folder a suite.")
    work_dir: str = Field(
        "runs/evaluation",
        description="Where videos lie until a suite's report is whole; a killed one goes on from there.",
    )
    promotion: PromotionSettings = PromotionSettings()
