"""A case with what a tracker sees in it: each result is tracked at most once, by one tracker, for all metrics."""

from fractions import Fraction
from functools import cached_property

import numpy as np
from dreamactor_core.errors import NoPersonError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_signals.trackers import Tracker, make_tracker

from dreamactor_model.evaluation.case import Case


class Eyes:
    """The tracker that reads results and references; it is built when first used.

    Args:
        settings: name the tracker. The largest person is followed, whoever was followed in the driving video.
    """

    def __init__(self, settings: SignalsSettings) -> None:
        self._settings = settings.model_copy(update={"person": None, "person_box_px": None})

    @cached_property
    def _tracker(self) -> Tracker:
        return make_tracker(self._settings)

    def see(self, frames_THWC: np.ndarray, fps: Fraction) -> MotionTrack | None:
        """What frames show; None where they show nobody."""
        size = frames_THWC.shape[2], frames_THWC.shape[1]
        try:
            return self._tracker.track(iter(frames_THWC), fps, size, source_sha256="")
        except NoPersonError:
            return None


class Observed:
    """One case, and the tracks of its result and its reference.

    Args:
        case: to be measured.
        eyes: shared by all cases.
    """

    def __init__(self, case: Case, eyes: Eyes) -> None:
        self.case = case
        self._eyes = eyes

    @cached_property
    def result_track(self) -> MotionTrack | None:
        """Of the T frames of the result; None where nobody is found in any."""
        return self._eyes.see(self.case.result_THWC, self.case.driving.fps)

    @cached_property
    def reference_track(self) -> MotionTrack | None:
        """One frame; None where nobody is found."""
        return self._eyes.see(self.case.reference_HWC[None], self.case.driving.fps)
