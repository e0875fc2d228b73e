"""What each stage of training adds: the suite `stages` over the finished stages that lie in release/models.

python -m benchmarks.release_parts.stages
"""

import json

from benchmarks.release_parts.held_out import run_suite

_CLIPS = 48
_STAGES = ("stage1", "stage2", "stage3", "refiner")
# What a stage is meant for: stage 2 teaches the face, stage 3 whole clips.
_METRICS = ("pose_error", "head_error_deg", "expression_error", "psnr_db", "lpips", "fvd")


def measure(scale: float = 1.0) -> dict[str, float]:
    """Every figure of the table by stage; `scale` below 1 takes fewer clips."""
    by = run_suite("stages", evaluation__clips=max(4, round(_CLIPS * scale)))
    return {f"{stage}_{metric}": by[stage][metric]["value"] for stage in _STAGES for metric in _METRICS}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
