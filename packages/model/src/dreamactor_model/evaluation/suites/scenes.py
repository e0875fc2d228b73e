"""A clip as the contenders see it: images of a person, and a performance to give (paper 4.1).

Legend: T video frames, R references, H W canvas.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings import Settings
from dreamactor_core.video import read_frames
from dreamactor_dataset.fitting import Fit, bucket_size
from dreamactor_signals.faces import crop_faces
from dreamactor_signals.retarget import retarget
from dreamactor_signals.views import head_yaw_rad, pick_complement

from dreamactor_model.evaluation.suites.selection import Pair, track_of
from dreamactor_model.evaluation.suites.table import Suite

# The paper's references: of greatest, least and median yaw. The first frame sets the pose, two more join it.
_MORE_REFERENCES = 2


@dataclass(frozen=True, eq=False)
class Scene:
    """One person and one performance.

    Attributes:
        name: of the pair of clips.
        references_RHWC: (R, H, W, 3) uint8 of the person; the first leads, the others show other sides, the most
            different first.
        reference: the pose of the first reference, one frame, in canvas pixels.
        performer: T frames of whoever drives, as that person was seen.
        face_crops_THWC: (T, 224, 224, 3) uint8 of the driving face.
        filmed_THWC: (T, H, W, 3) uint8 of whoever drives.
        self_driven: whether that is the person, so that what was filmed is the truth.
        others: one frame each, the poses of the further references, in canvas pixels.
        measured: (N,) int64 frames that count: those that nobody was shown as a reference.
    """

    name: str
    references_RHWC: np.ndarray
    reference: MotionTrack
    performer: MotionTrack
    face_crops_THWC: np.ndarray
    filmed_THWC: np.ndarray
    self_driven: bool
    measured: np.ndarray
    others: tuple[MotionTrack, ...] = ()

    def __len__(self) -> int:
        return len(self.performer)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the canvas."""
        return self.reference.frame_size

    @property
    def truth_THWC(self) -> np.ndarray | None:  # noqa: N802 - a shape suffix
        """(T, H, W, 3) uint8; None where somebody else drives."""
        return self.filmed_THWC if self.self_driven else None

    @cached_property
    def driving(self) -> MotionTrack:
        """T frames: the performance by the person's own body, in canvas pixels."""
        return self.performer if self.self_driven else retarget(self.performer, self.reference)

    @cached_property
    def driving_not_adjusted(self) -> MotionTrack:
        """The same with the proportions of whoever drives, at the person's size (paper 4.3)."""
        return self.performer if self.self_driven else retarget(self.performer, self.reference, adjust_lengths=False)


def load_scene(pair: Pair, folder: Path, suite: Suite, settings: Settings, fineness: int = 1) -> Scene:
    """Read a pair of clips.

    Args:
        folder: the manifest's.
        fineness: sides of the canvas, in those of training frames.

    Raises:
        DecodeError, TrackError: a damaged clip.
    """
    row = pair.person
    canvas = bucket_size(row.width, row.height, settings.dataset.sampling.area, fineness)
    fit = Fit.cover((row.width, row.height), canvas)
    count = min(settings.evaluation.frames, pair.driver.frame_count)
    track, driver = fit.track(track_of(row, folder)), track_of(pair.driver, folder)[:count]
    shown = [0, *(_other_sides(track) if any(v.references == "several" for v in suite.variants) else [])]
    own = pair.driver == row
    filmed_THWC = read_frames(folder / pair.driver.video, range(count))
    # Cut from the clip as it was filmed, where faces are largest.
    boxes_px = np.where(driver.face_confidence[:, None] > 0, driver.face_boxes_px, 0)
    return Scene(
        name=pair.name,
        references_RHWC=fit.frames(read_frames(folder / row.video, shown)),
        reference=track[:1],
        performer=track[:count] if own else driver,
        face_crops_THWC=crop_faces(filmed_THWC, boxes_px),
        filmed_THWC=Fit.cover((pair.driver.width, pair.driver.height), fit.size).frames(filmed_THWC),
        self_driven=own,
        measured=np.setdiff1d(np.arange(count), shown) if own else np.arange(count),
        others=tuple(track[frame : frame + 1] for frame in shown[1:]),
    )


def _other_sides(track: MotionTrack) -> list[int]:
    """Frames that show the person from other sides than the first does."""
    yaw_rad = head_yaw_rad(track)
    if np.isnan(yaw_rad).all():
        return []
    picked = pick_complement(yaw_rad, float(yaw_rad[0]), _MORE_REFERENCES).tolist()
    return [frame for frame in picked if frame != 0]
