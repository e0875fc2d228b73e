"""What the paper's choices are worth here (Figure 6): what drives the body and the head, and bone lengths.

Control maps of three kinds are each trained from nothing for as many steps (`_STEPS`), on the released VAE and face
encoder, and compared by the suite `controls`; the released model drives strangers with and without their bone lengths
in the suite `bone-lengths`. Trainings are resumable: what was finished is not repeated.

    python -m benchmarks.release_parts.ablations
"""

import json
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml
from dreamactor_core.settings.signals import Guidance

from benchmarks.release_parts.held_out import enter, run_suite

_CLIPS = 24
_STEPS = {"1": 500, "2": 60, "3": 100}
_SHORT = Path("models/short")
_PIPELINE = Path(__file__).parents[2] / "suites" / "dvc.yaml"
_METRICS = ("pose_error", "head_error_deg", "expression_error", "psnr_db", "lpips")


def measure(scale: float = 1.0) -> dict[str, float | None]:
    """Figures by variant; `scale` below 1 takes fewer steps and clips."""
    enter()
    # How the trainings at full length differ, they differ here.
    kinds: dict[Guidance, str] = yaml.safe_load(_PIPELINE.read_text())["stages"]["train"]["foreach"]
    for guidance, flags in {"sphere": "", **kinds}.items():
        _train(guidance, shlex.split(flags), scale)
    clips = max(4, round(_CLIPS * scale))
    short = str(_SHORT / "sphere" / "stage3")
    controls = run_suite(
        "controls", evaluation__clips=clips, evaluation__checkpoint=short, training__models_dir=str(_SHORT)
    )
    lengths = run_suite("bone-lengths", evaluation__clips=clips)
    kept = {"control_sphere": controls["model"], "control_mesh": controls["mesh"]}
    kept |= {"control_landmarks": controls["landmarks"]}
    kept |= {"bones_adjusted": lengths["adjusted"], "bones_not_adjusted": lengths["not_adjusted"]}
    return {f"{variant}_{metric}": _value(by, metric) for variant, by in kept.items() for metric in _METRICS}


def _train(guidance: Guidance, flags: Sequence[str], scale: float) -> None:
    folder = _SHORT / guidance
    for needed in ("vae", "face"):
        shutil.copytree(Path("models") / needed, folder / needed, dirs_exist_ok=True)
    common = {
        "signals.guidance": guidance,
        "training.models_dir": str(folder),
        # From nothing, each: the release's base has learned with spheres.
        "training.base": "null",
        "training.reports_dir": f"reports/training/short/{guidance}",
    }
    for stage, steps in _STEPS.items():
        chosen = common | {f"training.stage{stage}.steps": str(max(2, round(steps * scale)))}
        short = [part for name, value in chosen.items() for part in ("--set", f"{name}={value}")]
        subprocess.run(["dreamactor", "model", "train", "--stage", stage, *short, *flags], check=True)


def _value(by: dict[str, dict[str, float]], metric: str) -> float | None:
    """None where no clip has a truth, or shows what is measured."""
    return by.get(metric, {}).get("value")


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
