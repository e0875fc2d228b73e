"""What every tracker does, and how settings choose one."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Protocol

import numpy as np
from dreamactor_core.files import sha256_file
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings

from dreamactor_signals.litert.wheels import BODY_AND_HANDS, FACE


class Tracker(Protocol):
    """Reads the performance of one person."""

    def track(
        self, frames: Iterable[np.ndarray], fps: Fraction, frame_size: tuple[int, int], source_sha256: str
    ) -> MotionTrack:
        """Track a clip, frame by frame: pixels are not kept.

        Args:
            frames: (H, W, 3) uint8 RGB each.
            fps: frames a second.
            frame_size: width, height of the frames.
            source_sha256: of the file the frames come from.

        Raises:
            NoPersonError: no frames, or no person in any of them.
        """
        ...


def make_tracker(settings: SignalsSettings) -> Tracker:
    """The tracker that the settings name.

    Raises:
        WeightsError: its networks are missing or damaged.
        TrackerError: it lives in an environment that is not there.
    """
    if settings.tracker == "mmpose":
        from dreamactor_signals.trackers.mmpose import MmposeTracker

        return MmposeTracker(settings)
    from dreamactor_signals.trackers.embedded import EmbeddedTracker

    return EmbeddedTracker(settings)


def tracker_sha256(settings: SignalsSettings) -> str | None:
    """Of the weights of the tracker that the settings name; None where none is named.

    Raises:
        WeightsError: they are not there.
        InputError: so for a file of one's own.
    """
    if settings.tracker == "mmpose":
        return None if settings.mmpose.checkpoint is None else sha256_file(settings.mmpose.checkpoint)
    return f"{BODY_AND_HANDS.networks_sha256()} {FACE.networks_sha256()}"
