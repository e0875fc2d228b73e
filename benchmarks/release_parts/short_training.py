"""The three stages, trained from nothing in minutes, on the released VAE and face encoder, to compare choices by.

Resumable: what was finished is not repeated.
"""

import shlex
import shutil
import subprocess
from pathlib import Path

import yaml
from dreamactor_core.settings import Settings
from dreamactor_core.settings.model import RELEASED
from dreamactor_core.settings.signals import Guidance
from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.encoders.face_branch import load_face_branch
from dreamactor_model.registry import checkpoint_folder

SHORT = Path("models/short")
"""Folder of all short trainings, one folder for each kind of control maps."""
_STEPS = {"1": 500, "2": 60, "3": 100}
_PIPELINE = Path(__file__).parents[2] / "suites" / "dvc.yaml"


def train_short(guidance: Guidance, settings: Settings, scale: float) -> Path:
    """The folder of the finished stages 1, 2 and 3; `scale` below 1 takes fewer steps."""
    folder = SHORT / guidance
    _begin(folder, checkpoint_folder(settings.tracking, RELEASED))
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
        command = ["dreamactor", "model", "train", "--stage", stage, *short, *_differences(guidance)]
        subprocess.run(command, check=True)
    return folder


def _begin(folder: Path, released: Path) -> None:
    """What the stages start from, as the release has it."""
    shutil.copytree(released / "vae", folder / "vae", dirs_exist_ok=True)
    if not (folder / "face").exists():
        save_checkpoint(load_face_branch(released).face_encoder, folder / "face", about={"stage": "face"})


def _differences(guidance: Guidance) -> list[str]:
    """How the trainings of control maps differ at full length, they differ here."""
    kinds: dict[str, str] = yaml.safe_load(_PIPELINE.read_text())["stages"]["train"]["foreach"]
    return shlex.split(kinds.get(guidance, ""))
