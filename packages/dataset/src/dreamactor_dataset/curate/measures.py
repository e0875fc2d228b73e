"""Everything that is measured of a clip, from its track and a few of its frames."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.video import read_frames

from dreamactor_dataset.curate import performance
from dreamactor_dataset.curate.overlays import text_share
from dreamactor_dataset.curate.pictures import sharpness


@dataclass(frozen=True)
class Measures:
    """One clip. None where there is nothing to measure.

    Attributes:
        people: in the picture, seen in two of the frames at least.
        seen_share: of the frames that show the person.
        person_share: height of the visible person, of the frame's.
        face_px: height of the face.
        sharpness: of the person, in [0, 1].
        occlusion: share of the face that is hidden.
        motion_m_s: mean speed of joints and nose.
        yaw_range_deg: how far the head turns.
        text_share: of the picture, under lines of text that stay.
        duration_s: of the clip.
    """

    people: int | None
    seen_share: float
    person_share: float
    face_px: float | None
    sharpness: float
    occlusion: float | None
    motion_m_s: float | None
    yaw_range_deg: float
    text_share: float | None
    duration_s: float

    @classmethod
    def names(cls) -> list[str]:
        """Of everything measured."""
        return [field.name for field in fields(cls)]

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**values)


def measure_clip(
    video: Path, track: MotionTrack, *, frames: int, count_people: Callable[[Any], int] | None
) -> Measures:
    """Measure a clip.

    Args:
        frames: how many are looked at.
        count_people: of a sequence of frames; None does not count.

    Raises:
        InputError, DecodeError: the video cannot be read.
    """
    places = np.unique(np.linspace(0, len(track) - 1, frames + 2).round().astype(int)[1:-1])
    pictures = read_frames(video, places.tolist())
    people = [
        picture[y0:y1, x0:x1]
        for place, picture in zip(places.tolist(), pictures, strict=True)
        for x0, y0, x1, y1 in [performance.person_box_px(track, place)]
    ]
    return Measures(
        people=None if count_people is None else count_people(list(pictures)),
        seen_share=performance.seen_share(track),
        person_share=performance.person_share(track),
        face_px=performance.face_height_px(track),
        sharpness=float(np.median([sharpness(person) for person in people])),
        occlusion=performance.occlusion(track),
        motion_m_s=performance.motion_m_s(track),
        yaw_range_deg=performance.yaw_range_deg(track),
        text_share=text_share(list(pictures)),
        duration_s=float(len(track) / track.fps),
    )
