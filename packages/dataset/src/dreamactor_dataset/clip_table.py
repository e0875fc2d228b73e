"""What the sampler must know of the clips: a few numbers each, in numpy, so that workers share them without copies."""

from dataclasses import dataclass

import numpy as np
from dreamactor_core.errors import InputError


@dataclass(frozen=True, eq=False)
class ClipTable:
    """N clips, one entry each.

    Attributes:
        lengths: (N,) frames.
        buckets: (N,) number of the frame size of each.
        bucket_sizes: (B, 2) width and height of the training frames (`fitting.bucket_size`).
        yaw_frames: (N, 3) the frames of most, least and median yaw (paper 3.3).
        full_body: (N,) bool, clips whose references may include a half-body crop.
        has_track: (N,) bool, a tracker's track is there.
        has_truth: (N,) bool, a true track is there.
        strata: (N,) number of the stratum of each (`balance.weights`).
        stratum_weights: (S,) how often clips of each stratum are shown in an epoch.

    Raises:
        InputError: on construction, when there is no clip, sizes contradict each other or a clip has no track at all.
    """

    lengths: np.ndarray
    buckets: np.ndarray
    bucket_sizes: np.ndarray
    yaw_frames: np.ndarray
    full_body: np.ndarray
    has_track: np.ndarray
    has_truth: np.ndarray
    strata: np.ndarray
    stratum_weights: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.lengths)
        for name in ("buckets", "yaw_frames", "full_body", "has_track", "has_truth", "strata"):
            wanted = (count, 3) if name == "yaw_frames" else (count,)
            if getattr(self, name).shape != wanted:
                raise InputError(f"clip table: {name} has shape {getattr(self, name).shape} for {count} clips")
        if count == 0:
            raise InputError("there is no clip to draw from", remedy="Ingest some, or choose another split")
        if self.buckets.max() >= len(self.bucket_sizes) or self.strata.max() >= len(self.stratum_weights):
            raise InputError("clip table: a clip is of a frame size or stratum that is not there")
        if not (self.has_track | self.has_truth).all():
            clip = int(np.flatnonzero(~(self.has_track | self.has_truth))[0])
            raise InputError(f"clip {clip} has neither a tracked nor a true motion track")

    def __len__(self) -> int:
        return len(self.lengths)

    def size(self, clip_index: int) -> tuple[int, int]:
        """Width and height of the clip's training frames."""
        width, height = self.bucket_sizes[self.buckets[clip_index]]
        return int(width), int(height)
