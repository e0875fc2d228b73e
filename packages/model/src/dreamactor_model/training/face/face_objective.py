"""What E_f is trained for: to read the expression and nothing else (paper 3.2).

- Reading: a linear map of the features gives the face units, each unit's error in units of its own variance. Linear,
  because the features are to lie open to Face Attn, not only to some network.
- Contrast: among the crops of a batch, those of the same expression, on other people in other poses and light, are to
  be the nearest; other expressions, on the same person too, are pushed away. So neither who it is nor how the head is
  held helps to find a mate.
- Finding: where eyes and mouth are is learned beside, from the truth; meanwhile the closer look begins where the truth
  says, give or take, so that neither it nor reading need wait for the first look.

What is left of pose, crop place and light is taken out when training is over, in closed form (`erasure`): that is exact
for whoever reads the features linearly. An adversary that learns beside was tried and came too late: it could not yet
tell a yaw that a fitted probe read at once.

Legend: P points, X coordinates (see `encoders.face`), K crops, C feature width and U face units.
"""

import torch
from dreamactor_core.settings.training import FaceStageSettings
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.encoders.face import ExpressionHead, FaceMotionEncoder

_LEAST_SPREAD = 0.02
# Of the crop's side. Large: the finder has weights of its own, and must not fill the clipped gradient of all.
_LOOK_SCALE, _CLOSER_SCALE = 0.2, 0.1


class FaceObjective(nn.Module):
    """The losses of a batch of crops.

    Args:
        units_NU: all face units of the training set; a unit that never moves there is not learned.
    """

    unit_mean: Tensor
    unit_spread: Tensor

    def __init__(self, encoder: FaceMotionEncoder, row: FaceStageSettings, units_NU: Tensor) -> None:
        super().__init__()
        width = encoder.config.face_width
        self.encoder = encoder
        self.head = ExpressionHead(width)
        self.register_buffer("unit_mean", units_NU.mean(dim=0))
        self.register_buffer("unit_spread", units_NU.std(dim=0))
        self._row = row

    def forward(
        self,
        crops_KHWC: Tensor,
        units_KU: Tensor,
        expression_K: Tensor,
        points_KPX: Tensor,
        cuts_KPX: Tensor,
    ) -> dict[str, Tensor]:
        """Losses of uint8 crops.

        Args:
            expression_K: equal numbers are mates.
            points_KPX: where eyes and mouth are; cuts_KPX: where a first look might have put them.
        """
        crops_KCHW = crops_KHWC.permute(0, 3, 1, 2).float() / 255
        finder = self.encoder.finder
        closer_KPX = finder.look_closer(crops_KCHW, cuts_KPX)
        finding = ((finder.look(crops_KCHW) - points_KPX) / _LOOK_SCALE).square().mean()
        finding = finding + ((closer_KPX - points_KPX) / _CLOSER_SCALE).square().mean()
        features_KC = self.encoder.read(crops_KCHW, closer_KPX.detach())
        unexplained = self.unexplained(self.head(features_KC).float(), units_KU)
        contrast = contrastive_loss(features_KC.float(), expression_K, self._row.temperature)
        loss = unexplained + self._row.contrast_weight * contrast + finding
        return {"loss": loss, "unexplained": unexplained, "contrast": contrast, "finding": finding}

    def unexplained(self, read_KU: Tensor, units_KU: Tensor) -> Tensor:
        """Mean share of the units' variance that the readings miss; readings are in standard deviations."""
        moves_U = self.unit_spread > _LEAST_SPREAD
        wanted_KU = (units_KU - self.unit_mean) / self.unit_spread.clamp_min(_LEAST_SPREAD)
        return (read_KU - wanted_KU).square()[:, moves_U].mean()


def contrastive_loss(features_KC: Tensor, expression_K: Tensor, temperature: float) -> Tensor:
    """InfoNCE with several mates: how improbable a crop's mates are among all others, by cosine; 0 without mates."""
    itself_KK = torch.eye(len(features_KC), dtype=torch.bool, device=features_KC.device)
    mates_KK = (expression_K[:, None] == expression_K[None, :]) & ~itself_KK
    has_mate_K = mates_KK.any(dim=1)
    if not bool(has_mate_K.any()):
        return features_KC.sum() * 0
    directions_KC = F.normalize(features_KC - features_KC.mean(dim=0), dim=1)
    cosine_KK = (directions_KC @ directions_KC.T / temperature).masked_fill(itself_KK, -torch.inf)
    found_KK = cosine_KK.log_softmax(dim=1).masked_fill(~mates_KK, 0)[has_mate_K]
    return -(found_KK.sum(dim=1) / mates_KK[has_mate_K].sum(dim=1)).mean()
