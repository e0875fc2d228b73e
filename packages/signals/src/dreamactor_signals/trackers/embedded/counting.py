"""How many people a picture shows."""

from collections.abc import Sequence

import numpy as np

from dreamactor_signals.litert.regions import Region
from dreamactor_signals.trackers.embedded.body import BodyNetworks, find_bodies
from dreamactor_signals.trackers.embedded.face import FaceNetworks


class PeopleCounter:
    """Counts people by their bodies and their faces, whichever are more: close-ups show no bodies.

    Args:
        threads: of each network.
        min_score: below it nobody is found.

    Raises:
        WeightsError: the networks are not installed.
    """

    def __init__(self, *, threads: int, min_score: float) -> None:
        self._body = BodyNetworks(threads=threads, min_score=min_score).detector
        self._face = FaceNetworks(threads=threads, min_score=min_score).detector

    def count(self, frame: np.ndarray) -> int:
        """People in one (H, W, 3) uint8 RGB frame."""
        bodies = len(find_bodies(self._body, frame, everywhere=True))
        return max(bodies, len(self._face.detect(frame, Region.of_frame(frame))))

    def count_in(self, frames: Sequence[np.ndarray]) -> int:
        """People in a clip, of which these are some frames: those seen in two of them at least, for one may err."""
        counts = sorted(self.count(frame) for frame in frames)
        return counts[-2] if len(counts) > 1 else counts[0]
