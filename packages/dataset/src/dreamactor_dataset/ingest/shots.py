"""Where a video cuts, and the clips that come of it."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

# Wide enough to see a cut, small enough to cost nothing beside decoding.
_WIDTH_PX = 256
# Below this change of hue, saturation and brightness (0 to 255) nothing is a cut, however still its neighbours are.
_MIN_CHANGE = 15.0


@dataclass(frozen=True)
class Shot:
    """Frames `start` to `end` (exclusive) of a timeline."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


class CutFinder:
    """Finds cuts with PySceneDetect while frames pass by: they are decoded once for all that is asked of them.

    Args:
        fps: of the frames.
        contrast: how many times more than its neighbours a frame must change.
    """

    def __init__(self, fps: Fraction, contrast: float) -> None:
        from scenedetect.detectors import AdaptiveDetector

        self._fps = float(fps)
        # A camera that moves changes every frame; a cut changes one of them far more than its neighbours.
        self._detector = AdaptiveDetector(
            adaptive_threshold=contrast, min_scene_len=1, min_content_val=_MIN_CHANGE, window_width=2
        )
        self._count = 0
        self._cuts: list[int] = []

    def add(self, frame: np.ndarray) -> None:
        """Take in the next (H, W, 3) uint8 RGB frame."""
        from scenedetect import FrameTimecode

        found = self._detector.process_frame(FrameTimecode(self._count, self._fps), _small(frame))
        self._cuts += [int(cut.frame_num) for cut in found]
        self._count += 1

    def shots(self, max_frames: int) -> list[Shot]:
        """What lies between the cuts, in parts of `max_frames` at most."""
        bounds = [0, *self._cuts, self._count]
        whole = [Shot(start, end) for start, end in itertools.pairwise(bounds) if end > start]
        return [part for shot in whole for part in _parts(shot, max_frames)]


def _parts(shot: Shot, max_frames: int) -> Iterator[Shot]:
    count = -(-len(shot) // max_frames)
    bounds = np.linspace(shot.start, shot.end, count + 1).round().astype(int).tolist()
    yield from (Shot(start, end) for start, end in itertools.pairwise(bounds))


def _small(frame: np.ndarray) -> np.ndarray:
    """BGR, as PySceneDetect wants it."""
    scale = min(1.0, _WIDTH_PX / frame.shape[1])
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    return cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
