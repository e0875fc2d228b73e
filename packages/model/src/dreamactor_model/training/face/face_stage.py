"""Stage face: E_f learns to read the expression in a crop and to ignore who it is, and how held and lit (paper 3.2).

It learns from synthetic close-ups: only there is it known that two people do the same. What it is trained for stands in
`face_objective`, what crops look like in `face_crops`.
Legend: K crops, U face units, N faces, C feature width.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.errors import TrainingError
from dreamactor_core.settings.training import FaceStageSettings
from dreamactor_dataset.face_set import FaceSet

from dreamactor_model.checkpoint import load_checkpoint, save_checkpoint, verify_checkpoint
from dreamactor_model.checkpoint.folder import read_config
from dreamactor_model.encoders.face import FaceMotionEncoder
from dreamactor_model.encoders.face_branch import load_face_branch
from dreamactor_model.evaluation.face_probe import face_features, probe_faces
from dreamactor_model.presets import ActorConfig, get_preset
from dreamactor_model.training.face.erasure import Erasure
from dreamactor_model.training.face.face_crops import FaceBatches, augment, draw_place, mirrored, points_in_crop
from dreamactor_model.training.face.face_objective import FaceObjective
from dreamactor_model.training.randomness import step_random
from dreamactor_model.training.spec import TrainingSpec
from dreamactor_model.training.task import Batch

# What the first look is off by, in sides of the crop.
_CUT_ERROR = 0.02


class FaceTask:
    """Crops of the training people, each expression on several of them."""

    def __init__(self, encoder: FaceMotionEncoder, folder: Path, row: FaceStageSettings, seed: int) -> None:
        self._folder, self._row, self._seed = folder, row, seed
        self._faces = FaceSet.load(folder, "train")
        if len(set(self._faces.people)) < 2:
            raise TrainingError(
                "fewer than two people to learn from", path=folder, remedy="Make a set of more: dataset.faces.people"
            )
        self._batches = FaceBatches(self._faces, row.batch)
        self.module = FaceObjective(encoder, row, torch.from_numpy(self._faces.truth.units))

    @classmethod
    def from_spec(cls, spec: TrainingSpec) -> "FaceTask":
        """The task of a run.

        Raises:
            InputError: there is no whole face set.
            TrainingError: it shows fewer than two people, or the encoder to go on from is of another size.
            WeightsError: that encoder is damaged.
        """
        settings = spec.parsed_settings()
        encoder = _encoder(get_preset(settings.model.preset).actor, spec.starts_from.get("face"))
        return cls(encoder, spec.manifest.parent, settings.training.face, settings.training.seed)

    def batch(self, step: int, slot: int) -> Batch:
        """Augmented crops and what they show."""
        random = step_random(self._seed, step, slot)
        rows = self._batches.rows(random)
        mirrors = self._batches.mirrors(rows, random)
        places = [draw_place(random) for _ in rows]
        pictures = zip(rows, places, mirrors, strict=True)
        crops = [augment(self._faces.picture(row), place, bool(mirror), random) for row, place, mirror in pictures]
        truth = self._faces.truth[rows]
        points = points_in_crop(truth.points, places, mirrors)
        return {
            "crops_KHWC": torch.from_numpy(np.stack(crops)),
            "units_KU": torch.from_numpy(np.where(mirrors[:, None], mirrored(truth).units, truth.units)),
            "expression_K": torch.from_numpy(truth.expressions),
            "points_KPX": torch.from_numpy(points),
            "cuts_KPX": torch.from_numpy(points + random.normal(0, _CUT_ERROR, points.shape).astype(np.float32)),
        }

    def sample_ids(self, step: int, slot: int) -> list[str]:
        """Names of the faces in the batch."""
        rows = self._batches.rows(step_random(self._seed, step, slot))
        return [
            f"person {self._faces.people[row]} expression {self._faces.truth.expressions[row]}" for row in sorted(rows)
        ]

    def save(self, folder: Path) -> Mapping[str, float]:
        """Take out what tells of pose, place and light, and write the encoder; its reading head served its purpose.

        Returns what held-out people's features show.
        """
        erase_nuisances(self.module.encoder, self._faces)
        save_checkpoint(self.module.encoder, folder, about={"stage": "face", "steps": self._row.steps})
        return probe_faces(self.module.encoder, self._folder)


def _encoder(config: ActorConfig, start: Path | None) -> FaceMotionEncoder:
    """A newborn encoder, or one that knows what a finished one learned."""
    encoder = FaceMotionEncoder(config)
    if start is None:
        return encoder
    learned = _finished_encoder(start)
    if (learned.config.face_width, learned.config.face_stem) != (config.face_width, config.face_stem):
        raise TrainingError("training.face.start is of another size", path=start, remedy="Start from nothing: null")
    encoder.load_state_dict(learned.state_dict())
    return encoder


def _finished_encoder(folder: Path) -> FaceMotionEncoder:
    """Of stage face, or of a whole model."""
    if read_config(folder)["kind"] == "actor":
        verify_checkpoint(folder)
        return load_face_branch(folder).face_encoder
    encoder: FaceMotionEncoder = load_checkpoint(folder, FaceMotionEncoder)
    return encoder


def erase_nuisances(encoder: FaceMotionEncoder, faces: FaceSet) -> None:
    """Change the encoder's last layer so that nuisances cannot be read linearly from its features."""
    erasure = Erasure.fit(*face_features(encoder, faces, seed=0))
    weight, bias = erasure.after(*(tensor.detach().double().numpy() for tensor in encoder.readout.parameters()))
    with torch.no_grad():
        encoder.readout.weight.copy_(torch.from_numpy(weight))
        encoder.readout.bias.copy_(torch.from_numpy(bias))
