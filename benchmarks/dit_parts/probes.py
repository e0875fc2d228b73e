"""What the face motion encoder tells of people it never saw.

The encoder is the released one, on the faces it learned from, where both lie in `release/`; else it is trained by the
release's recipe (`release/params.yaml`) in `runs/benchmarks/face`, rendering and training going on where they were
stopped. The figures are those of E_f's features when the stage is over; `_token` ones are of what Face Attn reads of a
newborn actor, whose MLP has not learned yet.

Visible units are those of `dataset.synthetic.faces.visibility`: switched fully on they change the face crop by at least
0.1 of 255 levels on the average. Heads turn by up to 60 degrees to either side, evenly.
"""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from dreamactor_core.settings import Settings, load_settings
from dreamactor_core.settings.root import read_params
from dreamactor_dataset.face_set import FACE_LIST, read_face_list
from dreamactor_dataset.synthetic.faces.synthesize import synthesize_faces
from dreamactor_model.actor import DreamActor
from dreamactor_model.checkpoint import load_checkpoint
from dreamactor_model.checkpoint.folder import read_about
from dreamactor_model.encoders.face import FaceMotionEncoder
from dreamactor_model.evaluation.face_probe import probe_faces
from dreamactor_model.presets import get_preset
from dreamactor_model.training.run.launch import train_stage
from dreamactor_model.training.spec import SHARED_TRAINING
from torch import Tensor

_RELEASE, _FOLDER = Path("release"), Path("runs/benchmarks/face")


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """`probe_expression_r2`, `probe_yaw_r2`, `probe_identity_top1_over_chance` and what stands behind them.

    Args:
        scale: below 1: fewer people and steps, trained anew.
    """
    weights, faces = _RELEASE / "models/face", _RELEASE / "data/faces"
    if scale < 1 or not (weights / "config.json").exists() or not (faces / FACE_LIST).exists():
        weights, faces = _trained(scale)
    encoder = load_checkpoint(weights, FaceMotionEncoder)
    figures: dict[str, float | bool | str | None] = {}
    for suffix, encode in (("", encoder), ("_token", _tokens(encoder))):
        probed = probe_faces(encode, faces)
        figures[f"probe_identity_top1{suffix}_over_chance"] = probed.pop("identity_over_chance")
        figures |= {f"probe_{name}{suffix}": value for name, value in probed.items()}
    figures["probe_encoder"] = str(weights)
    figures["probe_steps"] = float(read_about(weights)["steps"])
    figures["probe_visible_units"] = " ".join(read_face_list(faces)["visible_units"])
    return figures


def _trained(scale: float) -> tuple[Path, Path]:
    """Weights and faces of the release's recipe."""
    settings = _settings(scale)
    faces = Path(settings.training.faces_dir)
    synthesize_faces(faces, settings.dataset.faces)
    return train_stage(settings, "face", faces).weights, faces


def _settings(scale: float) -> Settings:
    folder = _FOLDER if scale == 1 else _FOLDER.with_name(f"face-{scale}")
    released = read_params(_RELEASE / "params.yaml")
    training, faces, row = released["training"], released["dataset"]["faces"], released["training"]["face"]
    recipe = {f"dataset.faces.{name}": value for name, value in faces.items()}
    recipe |= {f"training.face.{name}": value for name, value in row.items()}
    recipe |= {f"training.{name}": value for name, value in training.items() if name in SHARED_TRAINING - {"objective"}}
    return load_settings(
        recipe
        | {
            "dataset.faces.people": max(16, round(faces["people"] * scale)),
            "training.face.steps": max(200, round(row["steps"] * scale)),
            "training.face.start": str(_RELEASE / row["start"]),
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
