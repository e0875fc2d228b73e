"""A case with what a tracker sees in it: each video is tracked at most once, by one tracker, for all metrics."""

from functools import cached_property

from dreamactor_core.motion_track import MotionTrack

from dreamactor_model.evaluation.case import Case
from dreamactor_model.evaluation.eyes import Eyes


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
