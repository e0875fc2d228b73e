"""Videos of moving squares with the track of a standing person: a data set in a second."""

from fractions import Fraction
from pathlib import Path

import numpy as np
from dreamactor_core.files import sha256_file
from dreamactor_core.manifest import ClipRow, Split
from dreamactor_core.video import VideoWriter
from swaying_person import SIDE, person_track

FRAMES = 29


def write_clip(folder: Path, name: str, split: Split, phase: float, shade: int) -> ClipRow:
    """Write video and track, 64 x 64 pixels and 29 frames; returns the row of the manifest in that folder."""
    track = person_track(FRAMES, phase)
    video, track_path = folder / f"{name}.mp4", folder / f"{name}.safetensors"
    track.save(track_path)
    with VideoWriter(video, Fraction(25), size=(SIDE, SIDE), crf=1) as writer:
        for x0, y0, x1, y1 in track.face_boxes_px.round().astype(int):
            frame = np.full((SIDE, SIDE, 3), (40, shade, 90), np.uint8)
            frame[y0:y1, x0:x1] = (230, 180, shade)
            writer.write(frame)
    return ClipRow(
        clip_id=name,
        video=video.name,
        sha256=sha256_file(video),
        width=SIDE,
        height=SIDE,
        fps_num=25,
        fps_den=1,
        frame_count=FRAMES,
        source="test",
        identity=f"person-{shade}",
        category="test",
        licence="CC0",
        consent="none needed",
        split=split,
        synthetic=True,
        track=track_path.name,
        framing="portrait",
    )
