"""Pictures of clips, inside the page."""

import base64
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

import cv2
import numpy as np
from dreamactor_core.errors import DreamactorError
from dreamactor_core.manifest import ClipRow
from dreamactor_core.video import read_frames

_HEIGHT_PX = 120
_QUALITY = 80
# Decoding waits for child processes.
_THREADS = 4


def grid(rows: Sequence[ClipRow], folder: Path, count: int) -> str:
    """Pictures of at most `count` clips with what is to be said of each: every reason, or framing, is shown.

    Args:
        folder: the manifest's; clips without a file there are left out.
    """
    chosen = _spread([row for row in rows if (folder / row.video).is_file()], count)
    if not chosen:
        return "<p>There is no clip with a file of its own.</p>"
    with ThreadPoolExecutor(_THREADS) as pool:
        pictures = list(pool.map(lambda row: _picture(folder / row.video, row.frame_count), chosen))
    cells = [_cell(row, picture) for row, picture in zip(chosen, pictures, strict=True)]
    return f'<div class="grid">{"".join(cells)}</div>'


def _spread(rows: Sequence[ClipRow], count: int) -> list[ClipRow]:
    """Clips of every kind in turn, each kind's evenly over the set."""
    kinds: dict[str, list[ClipRow]] = defaultdict(list)
    for row in rows:
        kinds[(row.reason or row.framing or "").partition(":")[0]].append(row)
    share = -(-count // max(1, len(kinds)))
    picked = [
        [members[place] for place in np.unique(np.linspace(0, len(members) - 1, min(share, len(members))).astype(int))]
        for _, members in sorted(kinds.items())
    ]
    return [row for members in picked for row in members][:count]


def _picture(video: Path, frame_count: int) -> bytes | str:
    """The middle frame as JPEG, or why there is none."""
    try:
        frame = read_frames(video, [frame_count // 2])[0]
    except DreamactorError as error:
        return error.problem
    width = max(1, round(frame.shape[1] * _HEIGHT_PX / frame.shape[0]))
    small = cv2.resize(frame, (width, _HEIGHT_PX), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()


def _cell(row: ClipRow, picture: bytes | str) -> str:
    said = row.reason or f"{row.framing or 'framing not known'}, {row.category}, {row.duration_s:.1f} s"
    if isinstance(picture, str):
        image = f"<p>{escape(picture)}</p>"
    else:
        image = f'<img alt="" height="{_HEIGHT_PX}" src="data:image/jpeg;base64,{base64.b64encode(picture).decode()}">'
    return f"<figure>{image}<figcaption><b>{escape(row.clip_id)}</b><br>{escape(said)}</figcaption></figure>"
