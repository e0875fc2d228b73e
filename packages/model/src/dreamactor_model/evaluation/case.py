"""What is measured: one animated clip, with all that it is held against.

Legend: T video frames, H W rows and columns, C channels.
"""

from dataclasses import dataclass

import numpy as np
from dreamactor_core.motion_track import MotionTrack


@dataclass(frozen=True, eq=False)
class Case:
    """One animated clip. Frame 0, where it is the reference itself, is left out of all of it.

    Attributes:
        clip_id: its name.
        truth_THWC: (T, H, W, 3) uint8, the same performance as it was filmed; None where another person drives.
        result_THWC: (T, H, W, 3) uint8, what is judged.
        reference_HWC: (H', W', 3) uint8, the person who is animated.
        driving: T frames of the performance, in the frame of the result: its pixels are those of `result_THWC`.
        segment_starts: frames at which a segment of the sampler begins.
    """

    clip_id: str
    truth_THWC: np.ndarray | None
    result_THWC: np.ndarray
    reference_HWC: np.ndarray
    driving: MotionTrack
    segment_starts: tuple[int, ...]

    def __post_init__(self) -> None:
        frames, height, width, _ = self.result_THWC.shape
        if self.truth_THWC is not None and self.truth_THWC.shape != self.result_THWC.shape:
            raise ValueError(f"{self.clip_id}: truth {self.truth_THWC.shape}, result {self.result_THWC.shape}")
        if len(self.driving) != frames or self.driving.frame_size != (width, height):
            raise ValueError(
                f"{self.clip_id}: {len(self.driving)} driving frames of {self.driving.frame_size}, "
                f"but {frames} frames of {(width, height)} in the result"
            )
