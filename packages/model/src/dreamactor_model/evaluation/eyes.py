"""The tracker that looks at results: never twice at the same frames, at many clips by several processes."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache, cached_property, partial

import numpy as np
from dreamactor_core.errors import NoPersonError
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.worker_pool import Accident, WorkerPool
from dreamactor_signals.flow import look_again
from dreamactor_signals.trackers import Tracker, make_tracker

from dreamactor_model.evaluation.remembered import Remembered

# A process takes seconds to start: fewer clips each are not worth one.
_CLIPS_A_PROCESS = 8


class Eyes:
    """The tracker that reads results and references; what it has seen once it does not look at again.

    Args:
        settings: name the tracker. The largest person is followed, whoever was followed in the driving video.
    """

    def __init__(self, settings: SignalsSettings) -> None:
        self._settings = settings.model_copy(update={"person": None, "person_box_px": None})
        self._by_rate: dict[Fraction, Remembered[MotionTrack | None]] = {}

    def see(self, frames_THWC: np.ndarray, fps: Fraction) -> MotionTrack | None:
        """What frames show; None where they show nobody.

        Raises:
            WeightsError, TrackerError: the tracker is not there.
        """
        return self._at_rate(fps)(frames_THWC)

    def look_ahead(self, clips_THWC: Sequence[np.ndarray], fps: Sequence[Fraction]) -> None:
        """See many clips at the same time, by `signals.processes`, so that `see` knows them afterwards.

        Few clips, and what a process did not live to tell, are left to `see`.

        Raises:
            WeightsError, TrackerError: the tracker is not there.
        """
        new = [
            (clip_THWC, rate)
            for clip_THWC, rate in zip(clips_THWC, fps, strict=True)
            if clip_THWC not in self._at_rate(rate)
        ]
        processes = min(self._settings.processes, len(new) // _CLIPS_A_PROCESS)
        if processes < 2:
            return
        # Here it says by name what is missing; a process that cannot start does not.
        _ = self._tracker
        deadline_s = self._settings.clip_deadline_s
        with WorkerPool(partial(_looking, self._settings), processes=processes, deadline_s=deadline_s) as pool:
            for (clip_THWC, rate), seen in pool.map(new):
                if not isinstance(seen, Accident):
                    self._at_rate(rate).learn(clip_THWC, seen)

    def _at_rate(self, fps: Fraction) -> Remembered[MotionTrack | None]:
        if fps not in self._by_rate:
            self._by_rate[fps] = Remembered(lambda frames_THWC: _look(self._tracker, frames_THWC, fps))
        return self._by_rate[fps]

    @cached_property
    def _tracker(self) -> Tracker:
        return make_tracker(self._settings)


def eyes_of(settings: SignalsSettings) -> Eyes:
    """One pair of eyes for all contenders of a report."""
    return _eyes(settings.model_dump_json())


@cache
def _eyes(settings: str) -> Eyes:
    return Eyes(SignalsSettings.model_validate_json(settings))


def _looking(settings: SignalsSettings) -> Callable[[tuple[np.ndarray, Fraction]], MotionTrack | None]:
    """What a process does: one tracker for all its clips."""
    tracker = make_tracker(settings)
    return lambda clip: _look(tracker, *clip)


def _look(tracker: Tracker, frames_THWC: np.ndarray, fps: Fraction) -> MotionTrack | None:
    size = frames_THWC.shape[2], frames_THWC.shape[1]
    # Of a still, one look tells all.
    still = bool((frames_THWC == frames_THWC[:1]).all())
    try:
        track = tracker.track(iter(frames_THWC[:1] if still else frames_THWC), fps, size, source_sha256="")
    except NoPersonError:
        return None
    return track[np.zeros(len(frames_THWC), dtype=np.int64)] if still else look_again(track, frames_THWC)
