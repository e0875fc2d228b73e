"""What a clip is generated from, beside noise: references and motion, either of which may be dropped.

Training drops them at random and guidance drops them on purpose; both mean the same zeros, so one type serves both.

Legend: B batch, R references, F latent frames, T = 4F - 3 video frames, C channels or width, H W rows and columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Conditions:
    """Encoded conditions of a batch of clips.

    `face_BTC` is None where no face drives (stage 1); `reference_pose_BRCHW`, of `DreamActor.encode_reference_pose`,
    where references carry none. It belongs to the references: it goes when they go.
    """

    references_BRCHW: Tensor
    pose_BCFHW: Tensor
    face_BTC: Tensor | None
    reference_pose_BRCHW: Tensor | None = None

    def keep(self, *, references_B: Tensor, pose_B: Tensor, face_B: Tensor) -> "Conditions":
        """Each clip with its references and its motion kept where true, dropped where false (boolean masks (B,))."""
        references = self.references_BRCHW * references_B.view(-1, 1, 1, 1, 1)
        pose = self.pose_BCFHW * pose_B.view(-1, 1, 1, 1, 1)
        face = None if self.face_BTC is None else self.face_BTC * face_B.view(-1, 1, 1)
        reference_pose = self.reference_pose_BRCHW
        if reference_pose is not None:
            reference_pose = reference_pose * references_B.view(-1, 1, 1, 1, 1)
        return Conditions(references, pose, face, reference_pose)

    def without_motion(self) -> "Conditions":
        """The references alone."""
        face = None if self.face_BTC is None else torch.zeros_like(self.face_BTC)
        return replace(self, pose_BCFHW=torch.zeros_like(self.pose_BCFHW), face_BTC=face)

    def without_reference(self) -> "Conditions":
        """The motion alone."""
        pose = self.reference_pose_BRCHW
        return replace(
            self,
            references_BRCHW=torch.zeros_like(self.references_BRCHW),
            reference_pose_BRCHW=None if pose is None else torch.zeros_like(pose),
        )


def stack(parts: Sequence[Conditions]) -> Conditions:
    """Several batches as one, in order."""
    faces = [part.face_BTC for part in parts if part.face_BTC is not None]
    poses = [part.reference_pose_BRCHW for part in parts if part.reference_pose_BRCHW is not None]
    return Conditions(
        torch.cat([part.references_BRCHW for part in parts]),
        torch.cat([part.pose_BCFHW for part in parts]),
        torch.cat(faces) if faces else None,
        torch.cat(poses) if poses else None,
    )
