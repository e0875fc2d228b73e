"""Stage face: E_f learns to read the expression in a crop and to ignore whose face it is (paper 3.2).

It regresses the 52 facial units, and a contrastive term across identities pulls equal expressions together and pushes
different ones apart. Crops are shifted, scaled and recoloured, so that place and light tell nothing.
Legend: K crops, C feature width, U face units, H W rows and columns.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.errors import TrainingError
from dreamactor_core.settings.training import FaceStageSettings
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.checkpoint import save_checkpoint
from dreamactor_model.encoders.face import ExpressionHead, FaceMotionEncoder
from dreamactor_model.presets import get_preset
from dreamactor_model.training.prepared import PreparedClips
from dreamactor_model.training.randomness import step_generator, step_random
from dreamactor_model.training.spec import TrainingSpec
from dreamactor_model.training.task import Batch

_LARGEST_SHIFT, _LARGEST_ZOOM, _LARGEST_TINT = 0.08, 0.1, 0.2


class FaceObjective(nn.Module):
    """Regression of the units + contrast across identities."""

    def __init__(self, encoder: FaceMotionEncoder, row: FaceStageSettings) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = ExpressionHead(encoder.config.face_width)
        self._row = row

    def forward(self, crops_KCHW: Tensor, units_KU: Tensor, identity_K: Tensor) -> dict[str, Tensor]:
        """Losses of float crops in [0, 1]."""
        features_KC = self.encoder(crops_KCHW)
        regression = F.mse_loss(self.head(features_KC), units_KU)
        contrast = contrastive_loss(features_KC, units_KU, identity_K, self._row)
        # Units are mostly near 0: their variance, not 1, is the scale of their error.
        spread = units_KU.var(dim=0).mean().clamp_min(1e-4)
        loss = regression / spread + self._row.contrast_weight * contrast
        return {"loss": loss, "unit_mse": regression, "unexplained": regression / spread, "contrast": contrast}


def contrastive_loss(features_KC: Tensor, units_KU: Tensor, identity_K: Tensor, row: FaceStageSettings) -> Tensor:
    """Each crop's similarities to crops of other people should rank as their expressions do: a soft InfoNCE.

    0 where no crop has another identity beside it.
    """
    is_other_KK = identity_K[:, None] != identity_K[None, :]
    has_other_K = is_other_KK.any(dim=1)
    if not bool(has_other_K.any()):
        return features_KC.sum() * 0
    directions_KC = F.normalize(features_KC - features_KC.mean(dim=0), dim=1)
    cosine_KK = directions_KC @ directions_KC.T / row.temperature
    distance_KK = (units_KU[:, None] - units_KU[None, :]).square().mean(dim=2).sqrt() / row.contrast_scale
    wanted_KK = (-distance_KK.square()).masked_fill(~is_other_KK, -torch.inf)[has_other_K].softmax(dim=1)
    found_KK = cosine_KK.masked_fill(~is_other_KK, -torch.inf)[has_other_K].log_softmax(dim=1)
    # Where a pair is masked both are 0 and -inf; their product counts as 0.
    return -(wanted_KK * found_KK.masked_fill(wanted_KK == 0, 0)).sum(dim=1).mean()


def augment_crops(crops_KCHW: Tensor, generator: torch.Generator) -> Tensor:
    """Shift, zoom and tint each crop at random, as a face detector's jitter and another lamp would."""
    count = len(crops_KCHW)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=generator) * 2 - 1

    transforms = torch.zeros(count, 2, 3)
    transforms[:, 0, 0] = transforms[:, 1, 1] = 1 + _LARGEST_ZOOM * uniform()
    transforms[:, :, 2] = _LARGEST_SHIFT * 2 * uniform(2)
    grid = F.affine_grid(transforms, list(crops_KCHW.shape), align_corners=False)
    moved = F.grid_sample(crops_KCHW, grid, align_corners=False)
    return (moved * (1 + _LARGEST_TINT * uniform(3, 1, 1))).clamp(0, 1)


class FaceTask:
    """Crops of random frames in which a face was found."""

    def __init__(self, encoder: FaceMotionEncoder, clips: PreparedClips, row: FaceStageSettings, seed: int) -> None:
        self.module = FaceObjective(encoder, row)
        self._clips, self._row, self._seed = clips, row, seed
        tracks = [clips.clips.reference_track(clip) for clip in range(len(clips))]
        self._units = {clip: track.face_units for clip, track in enumerate(tracks) if track.face_units is not None}
        self._faces = [
            (clip, int(frame)) for clip in self._units for frame in np.flatnonzero(tracks[clip].face_confidence > 0)
        ]
        if not self._faces:
            raise TrainingError("no clip shows a face with known units", path=clips.clips.folder)
        self._identities = np.unique([row.identity for row in clips.clips.rows], return_inverse=True)[1]

    @classmethod
    def from_spec(cls, spec: TrainingSpec) -> "FaceTask":
        """The task of a run.

        Raises:
            TrainingError: no clip shows a face whose units are known.
        """
        settings = spec.parsed_settings()
        encoder = FaceMotionEncoder(get_preset(settings.model.preset).actor)
        return cls(encoder, PreparedClips.open(spec), settings.training.face, settings.training.seed)

    def batch(self, step: int, rank: int) -> Batch:
        """Augmented crops with their units and identities."""
        chosen = self._chosen(step, rank)
        crops = np.stack([self._clips.crops(clip, frame, frame + 1)[0] for clip, frame in chosen])
        crops_KCHW = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 255
        units = np.stack([self._units[clip][frame] for clip, frame in chosen])
        return {
            "crops_KCHW": augment_crops(crops_KCHW, step_generator(self._seed, step, rank)),
            "units_KU": torch.from_numpy(units),
            "identity_K": torch.tensor([self._identities[clip] for clip, _ in chosen]),
        }

    def sample_ids(self, step: int, rank: int) -> list[str]:
        """Names of the clips in the batch."""
        return [self._clips.clips.rows[clip].clip_id for clip, _ in self._chosen(step, rank)]

    def save(self, folder: Path) -> Mapping[str, float]:
        """Write the encoder. Its regression head served its purpose and goes."""
        save_checkpoint(self.module.encoder, folder, about={"stage": "face", "steps": self._row.steps})
        return {}

    def _chosen(self, step: int, rank: int) -> list[tuple[int, int]]:
        random = step_random(self._seed, step, rank)
        picks = random.integers(len(self._faces), size=self._row.batch)
        return [self._faces[pick] for pick in picks]
