"""Two canvases: the video's, and the smaller one of transformer and VAE, whose frames a refiner makes finer.

Legend: T video frames, C channels, H W canvas of the video, h w that of the transformer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from torch import Tensor
from torch.nn import functional as F

from dreamactor_model.sampling.stream import MotionSource


def shrink_maps(control_TCHW: np.ndarray, fineness: int) -> np.ndarray:
    """(T, C, h, w) uint8 control maps, sides divided by `fineness`: they are drawn softly, and their means are too."""
    if fineness == 1:
        return control_TCHW
    count, channels, height, width = control_TCHW.shape
    cells = control_TCHW.reshape(count, channels, height // fineness, fineness, width // fineness, fineness)
    return np.asarray(cells.mean(axis=(3, 5), dtype=np.float32).round().astype(np.uint8))


def enlarge_frame(frame_CHW: Tensor, fineness: int) -> Tensor:
    """(3, H, W) in [-1, 1], sides multiplied by `fineness`."""
    if fineness == 1:
        return frame_CHW
    return F.interpolate(frame_CHW[None], scale_factor=fineness, mode="bicubic")[0].clamp(-1.0, 1.0)


@dataclass(frozen=True)
class ShrunkMotion:
    """A motion as the transformer is shown it: its maps on the smaller canvas, poses still in pixels of the video.

    Attributes:
        motion: on the canvas of the video.
        fineness: sides of that, in those of the transformer's.
    """

    motion: MotionSource
    fineness: int

    def __len__(self) -> int:
        return len(self.motion)

    def control_maps(self, frames: Sequence[int]) -> np.ndarray:
        """(T, 6, h, w) uint8."""
        return shrink_maps(self.motion.control_maps(frames), self.fineness)

    def poses(self, frames: Sequence[int]) -> MotionTrack | None:
        """In pixels of the video, as the reference is that is moved to them."""
        return self.motion.poses(frames)

    def face_crops(self, frames: Sequence[int]) -> np.ndarray | None:
        """Those of the motion."""
        return self.motion.face_crops(frames)

    def face_tokens(self, frames: Sequence[int]) -> np.ndarray | None:
        """Those of the motion."""
        return self.motion.face_tokens(frames)
