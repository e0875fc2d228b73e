"""The mmpose tracker: whole-body keypoints of mmpose, then a body fitted to the clip (design section 4)."""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from dreamactor_core.files import sha256_file
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings

from dreamactor_signals.body_models import BodyModel
from dreamactor_signals.body_models.choose import make_body
from dreamactor_signals.litert.wheels import BODY_AND_HANDS, FACE
from dreamactor_signals.trackers.embedded.body import BodyNetworks, BodyReader
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.face import FaceNetworks, FaceReader
from dreamactor_signals.trackers.embedded.readings import FrameReading, require_somebody
from dreamactor_signals.trackers.embedded.shots import scene_of
from dreamactor_signals.trackers.mmpose.boxes import BoxFollower
from dreamactor_signals.trackers.mmpose.clip import Clip, Sighting, assemble
from dreamactor_signals.trackers.mmpose.process import MmposeProcess
from dreamactor_signals.trackers.people import People


class MmposeTracker:
    """RTMW, RTMPose or DWPose in a process of its own, kept alive over clips.

    Args:
        settings: of mmpose, and what the embedded tracker needs, whose networks tell where the person is.

    Raises:
        TrackerError: mmpose's environment is not there, or mmpose breaks down.
        WeightsError: no checkpoint, a damaged one or one of another config; the embedded networks or what the body fit
            needs are not installed.
        SettingsError: no such config or device, or the body model's file is not named.
    """

    def __init__(self, settings: SignalsSettings) -> None:
        self._settings = settings
        self._fitted = _body(settings)
        self._process = MmposeProcess(settings.mmpose, threads=settings.threads)
        self._body = BodyNetworks(threads=settings.threads, min_score=settings.min_score)
        self._face = FaceNetworks(threads=settings.threads, min_score=settings.min_score)
        self._trackers = self._labels()

    def close(self) -> None:
        """End mmpose's process. It also ends with this object, and with this process."""
        self._process.close()

    def track(
        self, frames: Iterable[np.ndarray], fps: Fraction, frame_size: tuple[int, int], source_sha256: str
    ) -> MotionTrack:
        """See `dreamactor_signals.trackers.Tracker`.

        Raises:
            InputError: no frames, or no person in any of them.
            TrackerError: mmpose broke down or hung; the next clip starts it anew.
        """
        if not self._process.alive:
            self._process = MmposeProcess(self._settings.mmpose, threads=self._settings.threads)
        self._process.forget()
        camera = Camera.assumed(frame_size, self._settings.field_of_view_deg)
        sightings = self._look(frames, camera, frame_size)
        require_somebody([sighting.reading for sighting in sightings])
        clip = Clip(camera, fps, frame_size, self._settings, self._fitted)
        return assemble(sightings, clip, trackers=self._trackers, source_sha256=source_sha256)

    def _look(self, frames: Iterable[np.ndarray], camera: Camera, frame_size: tuple[int, int]) -> list[Sighting]:
        """Every frame's sighting; while mmpose looks at one frame, the next one's person is found here."""
        people = People.of(self._settings)
        body_reader, face_reader = BodyReader(self._body, people), FaceReader(self._face, camera)
        given = self._settings.person_box_px
        follower = BoxFollower(frame_size, None if given is None else np.array(given), self._settings.min_score)
        readings: list[FrameReading] = []
        found: list[np.ndarray | None] = []
        box_px = None
        for frame in frames:
            body = body_reader.read(frame)
            # Without the body of the one who was asked for, any face may be somebody else's.
            face = None if body is None and people.chosen else face_reader.read(frame, body)
            readings.append(FrameReading(body=body, face=face, scene=scene_of(frame)))
            if len(readings) > 1:
                found.append(self._answer(box_px, follower))
            box_px = follower.next(body, face)
            if box_px is not None:
                self._process.submit(frame, box_px)
        if readings:
            found.append(self._answer(box_px, follower))
        people.check_found()
        return [Sighting(keypoints, reading) for keypoints, reading in zip(found, readings, strict=True)]

    def _answer(self, box_px: np.ndarray | None, follower: BoxFollower) -> np.ndarray | None:
        keypoints = None if box_px is None else self._process.collect()
        follower.seen(keypoints)
        return keypoints

    def _labels(self) -> dict[str, str]:
        about, checkpoint = self._process.description, self._settings.mmpose.checkpoint
        assert checkpoint is not None
        mmpose = f"mmpose {about['mmpose']} {about['config']} sha256:{sha256_file(checkpoint)[:12]}"
        return {
            "body": mmpose,
            "hands": mmpose,
            "fit": self._fitted.name,
            "person": BODY_AND_HANDS.label(),
            "face": FACE.label(),
        }


def _body(settings: SignalsSettings) -> BodyModel:
    """The body to fit. mmpose tells no depths: where the settings name no body, it is Anny's."""
    named = settings if settings.fit != "none" else settings.model_copy(update={"fit": "anny"})
    body = make_body(named)
    assert body is not None
    return body
