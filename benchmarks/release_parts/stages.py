"""What each stage of training adds: three short stages, trained from nothing, and beside them the whole released model.

python -m benchmarks.release_parts.stages
"""

import json
import shutil

from dreamactor_core.settings.model import RELEASED
from dreamactor_model.registry import checkpoint_folder

from benchmarks.release_parts.held_out import enter, run_suite
from benchmarks.release_parts.short_training import train_short

_CLIPS = 48
_RELEASED = "refiner"
_STAGES = ("stage1", "stage2", "stage3", _RELEASED)
# What a stage is meant for: stage 2 teaches the face, stage 3 whole clips.
_METRICS = ("pose_error", "head_error_deg", "expression_error", "psnr_db", "lpips", "fvd")


def measure(scale: float = 1.0) -> dict[str, float]:
    """Every figure of the table by stage; `scale` below 1 takes fewer steps and clips."""
    settings = enter()
    folder = train_short("sphere", settings, scale)
    shutil.copytree(checkpoint_folder(settings.tracking, RELEASED), folder / _RELEASED, dirs_exist_ok=True)
    by = run_suite("stages", evaluation__clips=max(4, round(_CLIPS * scale)), training__models_dir=str(folder))
    return {f"{stage}_{metric}": by[stage][metric]["value"] for stage in _STAGES for metric in _METRICS}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
