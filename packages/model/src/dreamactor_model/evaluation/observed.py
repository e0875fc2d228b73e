"""A case with what a tracker sees in it: each video is tracked at most once, by one tracker, for all metrics."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache, cached_property, partial

import numpy as np
from dreamactor_core.errors import NoPersonError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_signals.trackers import Tracker, make_tracker

from dreamactor_model.evaluation.case import Case
from dreamactor_model.evaluation.remembered import remembered


class Eyes:
    """The tracker that reads results and references; what it has seen once it does not look at again.

    Args:
        settings: name the tracker. The largest person is followed, whoever was followed in the driving video.
    """

    def __init__(self, settings: SignalsSettings) -> None:
        self._settings = settings.model_copy(update={"person": None, "person_box_px": None})
        self._by_rate: dict[Fraction, Callable[[np.ndarray], MotionTrack | None]] = {}

    def see(self, frames_THWC: np.ndarray, fps: Fraction) -> MotionTrack | None:
        """What frames show; None where they show nobody.

        Raises:
            WeightsError, TrackerError: the tracker is not there.
        """
        if fps not in self._by_rate:
            self._by_rate[fps] = remembered(partial(self._look, fps))
        return self._by_rate[fps](frames_THWC)

    @cached_property
    def _tracker(self) -> Tracker:
        return make_tracker(self._settings)

    def _look(self, fps: Fraction, frames_THWC: np.ndarray) -> MotionTrack | None:
        size = frames_THWC.shape[2], frames_THWC.shape[1]
        # Of a still, one look tells all.
        still = bool((frames_THWC == frames_THWC[:1]).all())
        try:
            track = self._tracker.track(iter(frames_THWC[:1] if still else frames_THWC), fps, size, source_sha256="")
        except NoPersonError:
            return None
        return track[np.zeros(len(frames_THWC), dtype=np.int64)] if still else track


def eyes_of(settings: SignalsSettings) -> Eyes:
    """One pair of eyes for all contenders of a report."""
    return _eyes(settings.model_dump_json())


@cache
def _eyes(settings: str) -> Eyes:
    return Eyes(SignalsSettings.model_validate_json(settings))


def _same_reader(first: MotionTrack, second: MotionTrack) -> bool:
    """Whether both faces were read by the same program: two call different things a smile."""
    reader = first.trackers.get("face")
    return reader is not None and reader == second.trackers.get("face")


class Observed:
    """One case, and the tracks of its result, its reference and its performance.

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

    @cached_property
    def performed_track(self) -> MotionTrack | None:
        """The performance as the result's tracker reads faces: the driving track, or else the truth's.

        None where neither was read by it.
        """
        result, driving, truth_THWC = self.result_track, self.case.driving, self.case.truth_THWC
        if result is None or _same_reader(result, driving):
            return driving
        return None if truth_THWC is None else self._eyes.see(truth_THWC, driving.fps)
