"""Read videos through the decoding child: a deadline between frames, typed errors, upright frames."""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from dreamactor_core.children import spawn, stop
from dreamactor_core.errors import DecodeError, InputError
from dreamactor_core.video.info import VideoInfo
from dreamactor_core.video.sniff import check_is_video

DEADLINE_S = 60.0
_CHUNK_BYTES = 1 << 20


def probe(path: Path | str, *, deadline_s: float = DEADLINE_S) -> VideoInfo:
    """Size, rate, frame count and audio of a video.

    Raises:
        InputError: no such file.
        DecodeError: not a video, a playlist, cut short, damaged, too large, or the decoder hangs.
    """
    with _Child(check_is_video(path), "info", deadline_s) as child:
        return child.info


def read_frame_times_s(path: Path | str, *, deadline_s: float = DEADLINE_S) -> np.ndarray:
    """(T,) float64 seconds at which each frame is shown, ascending.

    Raises:
        InputError, DecodeError: as `probe`.
    """
    with _Child(check_is_video(path), "times", deadline_s) as child:
        return child.times_s()


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
        self._child = _Child(self._path, "frames", self._deadline_s)
        self._child.__enter__()
        self.info = self._child.info
        return self

    def __exit__(self, *exception: object) -> None:
        self._child.__exit__(None, None, None)

    def __iter__(self) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8 RGB frames."""
        return self.take(self._indices)

    def take(self, indices: Sequence[int] | None) -> Iterator[np.ndarray]:
        """The same, of frames that are chosen now that `info` is known."""
        if indices is not None and any(not 0 <= i < self.info.frame_count for i in indices):
            raise InputError(f"has frames 0 to {self.info.frame_count - 1}, others were asked for", path=self._path)
        return self._child.frames(indices)


def read_frames(
    path: Path | str, indices: Sequence[int] | None = None, *, deadline_s: float = DEADLINE_S
) -> np.ndarray:
    """Some or all frames at once, (T, H, W, 3) uint8 RGB. For long videos use `open_video`.

    Raises:
        InputError, DecodeError: as `open_video`.
    """
    with open_video(path, indices=indices, deadline_s=deadline_s) as video:
        return np.stack(list(video))


class _Child:
    """The decoding process and its pipe."""

    def __init__(self, path: Path, mode: str, deadline_s: float) -> None:
        self._path, self._mode, self._deadline_s = path, mode, deadline_s

    def __enter__(self) -> Self:
        self._process = spawn(
            [sys.executable, "-m", "dreamactor_core.video.decode_child", str(self._path), self._mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A decoder needs no maths threads; their stacks would count against its memory limit.
            environment={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        try:
            self.info = VideoInfo.from_json(self._message()["info"])
        except BaseException:
            stop(self._process, grace_s=0)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop(self._process, grace_s=0)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def frames(self, indices: Sequence[int] | None) -> Iterator[np.ndarray]:
        assert self._process.stdin is not None
        request = None if indices is None else [int(i) for i in indices]
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        shape = (self.info.height, self.info.width, 3)
        size = int(np.prod(shape))
        while (mark := self._read(1)) == b"F":
            yield np.frombuffer(self._read(size), dtype=np.uint8).reshape(shape)
        if mark == b"{":
            self._raise(json.loads(mark + self._line()))

    def times_s(self) -> np.ndarray:
        return np.frombuffer(self._read(8 * self.info.frame_count), dtype="<f8").astype(np.float64)

    def _message(self) -> dict[str, Any]:
        message = json.loads(self._line())
        if "error" in message:
            self._raise(message)
        return message

    def _raise(self, message: dict[str, Any]) -> None:
        raise DecodeError(message["error"], path=self._path, remedy=message["remedy"])

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            line += self._read(1)
        return line

    def _read(self, size: int) -> bytearray:
        """Exactly `size` bytes before the deadline."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        data = bytearray()
        deadline = time.monotonic() + self._deadline_s
        while len(data) < size:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise DecodeError(
                    f"the decoder gave nothing for {self._deadline_s:g} s and was stopped", path=self._path
                )
            piece = os.read(descriptor, min(size - len(data), _CHUNK_BYTES))
            if not piece:
                raise DecodeError(
                    "the decoder broke down",
                    path=self._path,
                    remedy="The file is damaged, or too large for the memory limit",
                )
            data += piece
        return data
