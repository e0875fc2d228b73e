"""What the face motion encoder tells of people it never saw, after a pretraining longer than the demo's.

The faces are rendered once and the training is the stage's own, by its own launcher; both go on where they were stopped
(`runs/benchmarks/face`). The figures are those of E_f's features when the stage is over; `_token` ones are of what Face
Attn reads of a newborn actor, whose MLP has not learned yet.

Visible units are those of `dataset.synthetic.faces.visibility`: switched fully on they change the face crop by at least
0.1 of 255 levels on the average. Heads turn by up to 60 degrees to either side, evenly.
"""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from dreamactor_core.settings import Settings, load_settings
from dreamactor_dataset.face_set import read_face_list
from dreamactor_dataset.synthetic.faces.synthesize import synthesize_faces
from dreamactor_model.actor import DreamActor
from dreamactor_model.checkpoint import load_checkpoint
from dreamactor_model.encoders.face import FaceMotionEncoder
from dreamactor_model.evaluation.face_probe import probe_faces
from dreamactor_model.presets import get_preset
from dreamactor_model.training.run.launch import train_stage
from torch import Tensor

_FOLDER = Path("runs/benchmarks/face")
_PEOPLE, _IMAGES, _STEPS = 320, 32, 14_000
_TRAINING = {
    "training.face.batch": 24,
    "training.face.learning_rate": 1e-3,
    "training.face.final_learning_rate": 0.01,
    "training.face.warmup_steps": 100,
    "training.ema_decay": 0.995,
    "training.processes": 2,
    "training.checkpoint_every": 250,
    "training.log_every": 50,
}


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """`probe_expression_r2`, `probe_yaw_r2`, `probe_identity_top1_over_chance` and what stands behind them.

    Args:
        scale: below 1: fewer people and steps.
    """
    settings = _settings(scale)
    faces = Path(settings.training.faces_dir)
    synthesize_faces(faces, settings.dataset.faces)
    trained = train_stage(settings, "face", faces)
    encoder = load_checkpoint(trained.weights, FaceMotionEncoder)
    figures: dict[str, float | bool | str | None] = {}
    for suffix, encode in (("", encoder), ("_token", _tokens(encoder))):
        probed = probe_faces(encode, faces)
        figures[f"probe_identity_top1{suffix}_over_chance"] = probed.pop("identity_over_chance")
        figures |= {f"probe_{name}{suffix}": value for name, value in probed.items()}
    figures["probe_steps"] = trained.metrics["steps"]
    figures["probe_visible_units"] = " ".join(read_face_list(faces)["visible_units"])
    return figures


def _settings(scale: float) -> Settings:
    folder = _FOLDER if scale == 1 else _FOLDER.with_name(f"face-{scale}")
    people, steps = max(16, round(_PEOPLE * scale)), max(200, round(_STEPS * scale))
    return load_settings(
        _TRAINING
        | {
            "dataset.faces.people": people,
            "dataset.faces.images": _IMAGES,
            "training.face.steps": steps,
            "training.faces_dir": str(folder / "faces"),
            "training.work_dir": str(folder / "training"),
            "training.models_dir": str(folder / "models"),
            "training.reports_dir": str(folder / "reports"),
            "tracking.uri": f"sqlite:///{folder / 'mlflow.db'}",
            "tracking.artifacts": str(folder / "artifacts"),
        }
    )


def _tokens(encoder: FaceMotionEncoder) -> Callable[[Tensor], Tensor]:
    """E_f with the MLP that stage 1 begins with."""
    torch.manual_seed(0)
    mlp = DreamActor(get_preset("tiny").actor).face_mlp.eval()

    def encode(crops_KCHW: Tensor) -> Tensor:
        return mlp(encoder(crops_KCHW))

    return encode


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
