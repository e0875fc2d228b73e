"""The embedded tracker: reads frame by frame, then puts the clip together."""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import SignalsSettings

from dreamactor_signals.body_models.choose import make_body
from dreamactor_signals.litert.wheels import BODY_AND_HANDS, FACE
from dreamactor_signals.trackers.embedded.body import BodyNetworks, BodyReader
from dreamactor_signals.trackers.embedded.camera import Camera
from dreamactor_signals.trackers.embedded.clip import assemble
from dreamactor_signals.trackers.embedded.face import FaceNetworks, FaceReader
from dreamactor_signals.trackers.embedded.hands import HandNetworks, HandsReader
from dreamactor_signals.trackers.embedded.lifting import lifting
from dreamactor_signals.trackers.embedded.readings import FrameReading, require_somebody
from dreamactor_signals.trackers.embedded.shots import scene_of
from dreamactor_signals.trackers.people import People


class EmbeddedTracker:
    """Body, hands, face and head of one person, with networks that ship inside installed wheels.

    One set of networks serves any number of clips, one after another.

    Args:
        settings: thresholds, smoothing and the assumed camera.

    Raises:
        WeightsError: the networks are not installed, or what the body fit needs.
        SettingsError: the body model's file is not named.
    """

    def __init__(self, settings: SignalsSettings) -> None:
        self._settings = settings
        self._fitted = make_body(settings)
        self._body = BodyNetworks(threads=settings.threads, min_score=settings.min_score)
        self._hands = HandNetworks(threads=settings.threads, min_score=settings.min_score)
        self._face = FaceNetworks(threads=settings.threads, min_score=settings.min_score)

    def track(
        self, frames: Iterable[np.ndarray], fps: Fraction, frame_size: tuple[int, int], source_sha256: str
    ) -> MotionTrack:
        """See `dreamactor_signals.trackers.Tracker`."""
        readings, camera = self.read(frames, frame_size)
        require_somebody(readings)
        return assemble(
            readings,
            camera,
            fps,
            frame_size,
            self._settings,
            trackers=self._labels(),
            source_sha256=source_sha256,
            body=self._fitted,
            lifting=lifting(),
        )

    def _labels(self) -> dict[str, str]:
        fit = {} if self._fitted is None else {"fit": self._fitted.name}
        networks = {"body": BODY_AND_HANDS.label(), "hands": BODY_AND_HANDS.label(), "face": FACE.label()}
        return networks | {"lifting": lifting().label} | fit

    def read(self, frames: Iterable[np.ndarray], frame_size: tuple[int, int]) -> tuple[list[FrameReading], Camera]:
        """What the networks say of each frame of a clip, before it is put together, and the camera they assume."""
        camera = Camera.assumed(frame_size, self._settings.field_of_view_deg)
        people = People.of(self._settings)
        reader = FrameReader(self._body, self._hands, self._face, camera, people)
        readings = [reader.read(frame) for frame in frames]
        people.check_found()
        return readings, camera


class FrameReader:
    """Reads one clip's frames in their order; each frame's findings steer the search in the next."""

    def __init__(
        self, body: BodyNetworks, hands: HandNetworks, face: FaceNetworks, camera: Camera, people: People
    ) -> None:
        self._body = BodyReader(body, people)
        self._hands = HandsReader(hands)
        self._face = FaceReader(face, camera)
        self._people = people

    def read(self, frame: np.ndarray) -> FrameReading:
        """Everything seen in the next (H, W, 3) uint8 frame."""
        scene = scene_of(frame)
        body = self._body.read(frame)
        if body is None and self._people.chosen:
            # Any face or hand may be somebody else's.
            return FrameReading(scene=scene)
        hands = self._hands.read(frame, body)
        face = self._face.read(frame, body)
        return FrameReading(body, hands["left"], hands["right"], face, scene, self._face.glimpse)
