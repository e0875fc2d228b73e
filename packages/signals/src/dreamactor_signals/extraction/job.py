"""One clip of a manifest on its way to a track."""

from dataclasses import dataclass, replace
from pathlib import Path

from dreamactor_core.errors import DreamactorError, InputError, TrackError
from dreamactor_core.manifest import ClipRow
from dreamactor_core.motion_track import MotionTrack

from dreamactor_signals.extraction.video import extract_video
from dreamactor_signals.trackers import Tracker
from dreamactor_signals.views import framing

TRACKS_FOLDER = "tracks"
# Under this name a track says which settings made it.
_SETTINGS = "settings"


@dataclass(frozen=True)
class ClipJob:
    """One clip to track.

    Attributes:
        row: of the manifest.
        video: its file.
        output: the folder of tracks and manifest.
        settings_key: of the settings that shape a track.
    """

    row: ClipRow
    video: Path
    output: Path
    settings_key: str

    @property
    def track(self) -> str:
        """Path of its track, relative to the output folder."""
        return f"{TRACKS_FOLDER}/{self.row.clip_id}.safetensors"

    def done(self) -> ClipRow | None:
        """Its row, if its track is there and whole and made from this very video with these settings."""
        try:
            track = MotionTrack.load(self.output / self.track)
        except (InputError, TrackError):
            return None
        fits = track.source_sha256 == self.row.sha256 and track.trackers.get(_SETTINGS) == self.settings_key
        return self._accepted(track) if fits else None

    def run(self, tracker: Tracker) -> ClipRow:
        """Track it. Whatever is wrong with it becomes the reason of its rejection, the error's type first."""
        try:
            track = extract_video(self.video, tracker)
            if track.source_sha256 != self.row.sha256:
                raise InputError("the video has changed since it was ingested")
            track = replace(track, trackers=track.trackers | {_SETTINGS: self.settings_key})
            track.save(self.output / self.track)
        except Exception as error:
            problem = error.problem if isinstance(error, DreamactorError) else str(error)
            return self.rejected(type(error).__name__, problem)
        return self._accepted(track)

    def rejected(self, kind: str, problem: str) -> ClipRow:
        """The row of a clip that cannot be tracked."""
        return self.row.model_copy(update={"status": "rejected", "reason": f"{kind}: {problem}", "track": None})

    def _accepted(self, track: MotionTrack) -> ClipRow:
        return self.row.model_copy(update={"track": self.track, "framing": framing(track)})
