"""The face motion encoder E_f and its MLP (paper 3.2): face crops -> face motion tokens, one a video frame.

E_f first finds the eyes and the mouth, cuts out a square around each, upright and equally large however the face lies
in the crop, and places landmarks in them: place, size and roll of the face are gone before anything is read. What the
face does is read from landmarks and looks together: how far a corner of the mouth moved shows only to who knows where
the head looks.

Legend: B batch, T video frames, C channels or token width, H W rows and columns, K crops of all clips, U facial units,
P points, M marks and X coordinates of `encoders.face_parts`.
"""

from typing import NamedTuple

import torch
from dreamactor_core.face_landmarks import LANDMARK_COUNT, LANDMARKS_A_SIDE
from dreamactor_core.face_units import ARKIT_UNITS
from torch import Tensor, nn

from dreamactor_model.encoders.face_parts import MARK_COUNT, PointFinder, Squares, squares_around
from dreamactor_model.encoders.face_reader import PartReader
from dreamactor_model.linear import Linear
from dreamactor_model.presets import ActorConfig

# Of what lies between seeing and features, in widths of the features.
_HIDDEN = 4


class Seen(NamedTuple):
    """What E_f sees in squares of faces.

    Attributes:
        marks_KMX: where it takes the landmarks to be; those outside of their square mean nothing.
        features_KC: what the face does.
    """

    marks_KMX: Tensor
    features_KC: Tensor


class FaceMotionEncoder(nn.Module):
    """E_f: a crop of 224 x 224 -> what the face does, `face_width` numbers."""

    mark_mean_MX: Tensor
    mark_spread_MX: Tensor

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        self.config = config
        hidden = _HIDDEN * config.face_width
        self.finder = PointFinder(config.face_stem)
        self.eye = PartReader(config.face_stem, LANDMARKS_A_SIDE)
        self.mouth = PartReader(config.face_stem, LANDMARK_COUNT)
        inputs = 2 * MARK_COUNT + 2 * self.eye.width + self.mouth.width
        self.understand = nn.Sequential(Linear(inputs, hidden), nn.SiLU(), Linear(hidden, hidden), nn.SiLU())
        # What is seen is read directly too: a straight way is learned at once, the bent one makes it exact.
        self.readout = Linear(inputs + hidden, config.face_width)
        self.register_buffer("mark_mean_MX", torch.zeros(MARK_COUNT, 2))
        self.register_buffer("mark_spread_MX", torch.ones(MARK_COUNT, 2))

    def set_statistics(self, marks_NMX: Tensor) -> None:
        """Take over where landmarks lie in squares of training faces: their mean and spread."""
        self.mark_mean_MX.copy_(marks_NMX.mean(dim=0))
        self.mark_spread_MX.copy_(marks_NMX.std(dim=0).clamp_min(1e-3))

    def forward(self, crops_KCHW: Tensor) -> Tensor:
        """Crops (K, 3, 224, 224) in [0, 1] -> features (K, face_width)."""
        crops_KCHW = crops_KCHW.float()
        return self.read(crops_KCHW, self.find(crops_KCHW))

    def find(self, crops_KCHW: Tensor) -> Tensor:
        """Crops -> points (K, P, X)."""
        return self.finder(crops_KCHW)

    def read(self, crops_KCHW: Tensor, points_KPX: Tensor) -> Tensor:
        """Crops, and where eyes and mouth are in them -> features."""
        return self.see(crops_KCHW, squares_around(points_KPX)).features_KC

    def see(self, crops_KCHW: Tensor, squares: Squares) -> Seen:
        """Crops, and squares in them -> all that is seen."""
        parts_KPCHW = squares.cut(crops_KCHW)
        # One reader for both eyes: the right one in the mirror looks like a left one.
        eye_marks, eye_looks = self.eye(parts_KPCHW[:, :2].flatten(0, 1))
        mouth_marks, mouth_looks = self.mouth(parts_KPCHW[:, 2])
        count = len(crops_KCHW)
        marks_KMX = torch.cat([eye_marks.reshape(count, -1, 2), mouth_marks], dim=1)
        usual_KMX = (marks_KMX - self.mark_mean_MX.float()) / self.mark_spread_MX.float()
        looks = [eye_looks.reshape(count, -1), mouth_looks]
        seen_KC = torch.cat([usual_KMX.flatten(1).to(mouth_looks.dtype), *looks], dim=1)
        return Seen(marks_KMX, self.readout(torch.cat([seen_KC, self.understand(seen_KC)], dim=1)))


class FaceMLP(nn.Module):
    """Features of E_f -> tokens that Face Attn reads."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), Linear(width, width), nn.SiLU(), Linear(width, width))

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features)


class ExpressionHead(nn.Module):
    """Features of E_f -> the 52 facial units; used only to pretrain E_f, never at inference."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.read = Linear(width, len(ARKIT_UNITS))

    def forward(self, features_KC: Tensor) -> Tensor:
        """Units (K, 52), in standard deviations from their means."""
        return self.read(features_KC)
