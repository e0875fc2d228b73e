"""How a checkpoint is judged and promoted."""

from typing import Literal

from pydantic import Field

from dreamactor_core.settings.base import Section

MetricName = Literal["psnr_db", "ssim", "lpips", "fvd"]
HIGHER_IS_BETTER: dict[str, bool] = {"psnr_db": True, "ssim": True, "lpips": False, "fvd": False}


class PromotionSettings(Section):
    """The rule by which a candidate takes the alias `champion`."""

    metric: MetricName = Field("psnr_db", description="Metric the candidate must win on.")
    margin: float = Field(0.0, ge=0, description="By how much it must win.")
    may_lose: dict[MetricName, float] = Field(
        {"ssim": 0.02, "lpips": 0.02}, description="By how much it may be worse on others, each in its own unit."
    )


class EvaluationSettings(Section):
    """Held-out clips and the rule of promotion."""

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
        description="Report distances of sets (fvd, fid ...) even of fewer samples than features, where covariances are "
        "singular: good for comparing runs on the same clips, never with other people's figures.",
    )
    reports_dir: str = Field("reports/evaluation", description="Folder of the metrics and the contact sheet.")
    promotion: PromotionSettings = PromotionSettings()
