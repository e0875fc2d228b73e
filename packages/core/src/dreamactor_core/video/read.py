"""Read videos through the decoding child: a deadline between frames, typed errors, upright frames."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import numpy as np

from dreamactor_core.errors import InputError
from dreamactor_core.video.decoder import Request
from dreamactor_core.video.info import VideoInfo
from dreamactor_core.video.sniff import check_is_video

DEADLINE_S = 60.0


def probe(path: Path | str, *, deadline_s: float = DEADLINE_S) -> VideoInfo:
    """Size, rate, frame count and audio of a video.

    Raises:
        InputError: no such file.
        DecodeError: not a video, a playlist, cut short, damaged, too large, or the decoder hangs.
    """
    with Request(check_is_video(path), "info", deadline_s) as request:
        return request.info


def read_frame_times_s(path: Path | str, *, deadline_s: float = DEADLINE_S) -> np.ndarray:
    """(T,) float64 seconds at which each frame is shown, ascending.

    Raises:
        InputError, DecodeError: as `probe`.
    """
    with Request(check_is_video(path), "times", deadline_s) as request:
        return request.times_s()


class open_video:  # noqa: N801 - reads as the context manager it is
    """Iterate over a video's frames: `with open_video(path) as video: video.info; for frame in video: ...`

    Args:
        path: the video.
        indices: frames wanted, in this order; None for all.
        deadline_s: how long a single frame may take before the decoder is killed.

    Raises:
        InputError, DecodeError: as `probe`, and while iterating where the file is damaged further in.
    """

    def __init__(
        self, path: Path | str, *, indices: Sequence[int] | None = None, deadline_s: float = DEADLINE_S
    ) -> None:
        self._path = check_is_video(path)
        self._indices = indices
        self._deadline_s = deadline_s

    def __enter__(self) -> Self:
        self._request = Request(self._path, "frames", self._deadline_s)
        self._request.__enter__()
        self.info = self._request.info
        return self

    def __exit__(self, *exception: object) -> None:
        self._request.__exit__(None, None, None)

    def __iter__(self) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8 RGB frames."""
        return self.take(self._indices)

    def take(self, indices: Sequence[int] | None) -> Iterator[np.ndarray]:
        """The same, of frames that are chosen now that `info` is known."""
        if indices is not None and any(not 0 <= i < self.info.frame_count for i in indices):
            raise InputError(f"has frames 0 to {self.info.frame_count - 1}, others were asked for", path=self._path)
        return self._request.frames(indices)


def read_frames(
    path: Path | str, indices: Sequence[int] | None = None, *, deadline_s: float = DEADLINE_S
) -> np.ndarray:
    """Some or all frames at once, (T, H, W, 3) uint8 RGB. For long videos use `open_video`.

    Raises:
        InputError, DecodeError: as `open_video`.
    """
    with open_video(path, indices=indices, deadline_s=deadline_s) as video:
        return np.stack(list(video))
