"""The table of stages: order, settings, where weights come from and go to, and what learns in each (paper 3.4)."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from dreamactor_core.errors import TrainingError
from dreamactor_core.settings.training import ParameterGroup, StageSettings, TrainingSettings
from dreamactor_dataset.face_set import FACE_LIST

if TYPE_CHECKING:
    from torch import nn

Stage = Literal["vae", "face", "1", "2", "3", "refiner", "lora", "audio"]
STAGES: tuple[Stage, ...] = get_args(Stage)
_PREREQUISITES: dict[Stage, tuple[Stage, ...]] = {
    "vae": (),
    "face": (),
    "1": ("vae", "face"),
    "2": ("1",),
    "3": ("2",),
    # It mends what the whole model makes.
    "refiner": ("3",),
    # Of the whole model that `training.lora.base` names, whichever stage that is.
    "lora": ("3",),
    # It imitates tokens: those of the face encoder and its MLP when nothing of them changes any more.
    "audio": ("3",),
}


def parse_stage(name: str) -> Stage:
    """The stage of that name.

    Raises:
        TrainingError: there is none.
    """
    for stage in STAGES:
        if stage == name:
            return stage
    raise TrainingError(f"unknown stage {name!r}", remedy=f"Choose one of {', '.join(STAGES)}")


def stage_title(stage: Stage) -> str:
    """The name used in settings, folders and runs: vae, face, stage1, stage2, stage3, refiner, audio."""
    return f"stage{stage}" if stage.isdigit() else stage


def stage_settings(training: TrainingSettings, stage: Stage) -> StageSettings:
    """The stage's row of the table."""
    row: StageSettings = getattr(training, stage_title(stage))
    return row


def output_dir(training: TrainingSettings, stage: Stage) -> Path:
    """Where the finished weights of a stage lie."""
    return Path(training.models_dir) / stage_title(stage)


def training_data(training: TrainingSettings, stage: Stage, manifest: Path) -> Path:
    """The list of what a stage learns from: the clips' manifest, or that of the faces."""
    return Path(training.faces_dir) / FACE_LIST if stage == "face" else manifest


def base_folder(training: TrainingSettings) -> Path | None:
    """The imported base that training starts from, if it starts from one.

    Raises:
        TrainingError: it is not there.
    """
    if training.base is None:
        return None
    folder = Path(training.base)
    if not (folder / "config.json").exists():
        raise TrainingError(
            "training.base names a base that is not there",
            path=folder,
            remedy=f"Make it with: dreamactor model import-wan DIR -o {folder}",
        )
    return folder


def prerequisites(training: TrainingSettings, stage: Stage) -> dict[Stage, Path]:
    """The stages this one starts from, with their finished weights.

    Raises:
        TrainingError: one of them has not been trained; names the command that does it.
    """
    found: dict[Stage, Path] = {}
    if stage == "face" and training.face.start is not None:
        found[stage] = _learned(training.face.start, "face")
    if stage == "refiner" and training.refiner.start is not None:
        found[stage] = _learned(training.refiner.start, "refiner")
    for earlier in _PREREQUISITES[stage]:
        folder = Path(training.lora.base) if stage == "lora" else output_dir(training, earlier)
        if not (folder / "config.json").exists():
            raise TrainingError(
                f"stage {stage} starts from the weights of stage {earlier}, which are not there",
                path=folder,
                remedy=f"Make them with: dreamactor model train --stage {earlier}",
            )
        found[earlier] = folder
    return found


def _learned(start: str, stage: Stage) -> Path:
    """The folder of a finished network that the stage lets learn on."""
    folder = Path(start)
    if not (folder / "config.json").exists():
        raise TrainingError(
            f"training.{stage}.start names weights that are not there",
            path=folder,
            remedy=f"Make one with: dreamactor model train --stage {stage}, or leave training.{stage}.start out",
        )
    return folder


def freeze_others(module: "nn.Module", groups: tuple[ParameterGroup, ...]) -> None:
    """Let only the parameters of `groups` learn (`dreamactor_model.actor.parameter_group`)."""
    from dreamactor_model.actor import parameter_group

    for name, parameter in module.named_parameters():
        parameter.requires_grad_(parameter_group(name) in groups)
