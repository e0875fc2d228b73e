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
    where references carry none. It belongs to the references: it goes when they go. `warp_BCFHW`, latents of the first
    reference moved to the pose of every latent frame, belongs to references and motion: it goes when either goes.
    """

    references_BRCHW: Tensor
    pose_BCFHW: Tensor
    face_BTC: Tensor | None
    reference_pose_BRCHW: Tensor | None = None
    warp_BCFHW: Tensor | None = None

    def keep(self, *, references_B: Tensor, pose_B: Tensor, face_B: Tensor) -> "Conditions":
        """Each clip with its references and its motion kept where true, dropped where false (boolean masks (B,))."""
        references = self.references_BRCHW * references_B.view(-1, 1, 1, 1, 1)
        pose = self.pose_BCFHW * pose_B.view(-1, 1, 1, 1, 1)
        face = None if self.face_BTC is None else self.face_BTC * face_B.view(-1, 1, 1)
        reference_pose = self.reference_pose_BRCHW
        if reference_pose is not None:
            reference_pose = reference_pose * references_B.view(-1, 1, 1, 1, 1)
        warp = self.warp_BCFHW
        if warp is not None:
            warp = warp * (references_B & pose_B).view(-1, 1, 1, 1, 1)
        return Conditions(references, pose, face, reference_pose, warp)

    def without_motion(self) -> "Conditions":
        """The references alone."""
        return replace(
            self,
            pose_BCFHW=torch.zeros_like(self.pose_BCFHW),
            face_BTC=_nothing_like(self.face_BTC),
            warp_BCFHW=_nothing_like(self.warp_BCFHW),
        )

    def without_reference(self) -> "Conditions":
        """The motion alone."""
        return replace(
            self,
            references_BRCHW=torch.zeros_like(self.references_BRCHW),
            reference_pose_BRCHW=_nothing_like(self.reference_pose_BRCHW),
            warp_BCFHW=_nothing_like(self.warp_BCFHW),
        )


def _nothing_like(condition: Tensor | None) -> Tensor | None:
    return None if condition is None else torch.zeros_like(condition)


def stack(parts: Sequence[Conditions]) -> Conditions:
    """Several batches as one, in order."""
    return Conditions(
        torch.cat([part.references_BRCHW for part in parts]),
        torch.cat([part.pose_BCFHW for part in parts]),
        _joined([part.face_BTC for part in parts]),
        _joined([part.reference_pose_BRCHW for part in parts]),
        _joined([part.warp_BCFHW for part in parts]),
    )


def _joined(parts: Sequence[Tensor | None]) -> Tensor | None:
    known = [part for part in parts if part is not None]
    return torch.cat(known) if known else None
