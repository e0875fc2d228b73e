"""What a clip is generated from, beside noise: references and motion, either of which may be dropped.

Training drops them at random and guidance drops them on purpose; both mean the same zeros, so one type serves both.

Legend: B batch, R references, F latent frames, T = 4F - 3 video frames, C channels or width, H W rows and columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Conditions:
    """Encoded conditions of a batch of clips; `face_BTC` is None where no face drives (stage 1)."""

    references_BRCHW: Tensor
    pose_BCFHW: Tensor
    face_BTC: Tensor | None

    def keep(self, *, references_B: Tensor, pose_B: Tensor, face_B: Tensor) -> "Conditions":
        """Each clip with its references and its motion kept where true, dropped where false (boolean masks (B,))."""
        references = self.references_BRCHW * references_B.view(-1, 1, 1, 1, 1)
        pose = self.pose_BCFHW * pose_B.view(-1, 1, 1, 1, 1)
        face = None if self.face_BTC is None else self.face_BTC * face_B.view(-1, 1, 1)
        return Conditions(references, pose, face)

    def without_motion(self) -> "Conditions":
        """The references alone."""
        face = None if self.face_BTC is None else torch.zeros_like(self.face_BTC)
        return Conditions(self.references_BRCHW, torch.zeros_like(self.pose_BCFHW), face)

    def without_reference(self) -> "Conditions":
        """The motion alone."""
        return Conditions(torch.zeros_like(self.references_BRCHW), self.pose_BCFHW, self.face_BTC)


def stack(parts: Sequence[Conditions]) -> Conditions:
    """Several batches as one, in order."""
    faces = [part.face_BTC for part in parts if part.face_BTC is not None]
    return Conditions(
        torch.cat([part.references_BRCHW for part in parts]),
        torch.cat([part.pose_BCFHW for part in parts]),
        torch.cat(faces) if faces else None,
    )
