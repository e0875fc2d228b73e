"""The contenders side by side: a video and a contact sheet of each clip.

Legend: T video frames, H W canvas.
"""

from pathlib import Path

import numpy as np
from dreamactor_core.contact_sheet import captioned_row, write_contact_sheet
from dreamactor_core.video import VideoWriter

from dreamactor_model.evaluation.outcome import Outcome

MOST_CLIPS = 12
"""Of a large suite, the first clips are shown."""
_ROWS, _LEAST_HEIGHT = 5, 128


def write_pictures(folder: Path, outcome: Outcome) -> list[str]:
    """Write NAME.mp4 and NAME.png of each shown clip; returns the names."""
    names = []
    for index, scene in enumerate(outcome.scenes[:MOST_CLIPS]):
        columns = _columns(outcome, index)
        height = max(_LEAST_HEIGHT, scene.size[1])
        write_contact_sheet(folder / f"{scene.name}.png", columns, rows=_ROWS, cell_height=height)
        _write_video(folder / f"{scene.name}.mp4", columns, outcome)
        names.append(scene.name)
    return names


def _columns(outcome: Outcome, index: int) -> dict[str, list[np.ndarray]]:
    """What stands side by side: T frames (H, W, 3), or one of what stands still."""
    scene = outcome.scenes[index]
    filmed = {"truth" if scene.self_driven else "driving": scene.filmed_THWC}
    made = {name: videos[index] for name, videos in outcome.videos.items()}
    columns = {"reference": scene.references_RHWC[:1], **filmed, **made}
    return {caption: list(frames) for caption, frames in columns.items()}


def _write_video(path: Path, columns: dict[str, list[np.ndarray]], outcome: Outcome) -> None:
    fps = outcome.scenes[0].performer.fps
    count = max(map(len, columns.values()))
    rows = (
        captioned_row({caption: frames[min(frame, len(frames) - 1)] for caption, frames in columns.items()})
        for frame in range(count)
    )
    first = next(rows)
    with VideoWriter(path, fps, size=(first.shape[1], first.shape[0])) as writer:
        writer.write(first)
        for row in rows:
            writer.write(row)
