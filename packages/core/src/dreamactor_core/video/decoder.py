"""The parent's side of decoding: child processes, and one request to one of them.

Starting a child takes longer than decoding a short clip, so a thread keeps one that has served well, for the next
video. One that met a damaged file, hung, or was not listened to until the end is killed.
"""

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from dreamactor_core.children import spawn, stop
from dreamactor_core.errors import DecodeError
from dreamactor_core.video.info import VideoInfo

_CHUNK_BYTES = 1 << 20
# After so many videos a child ends: what decoders forget to free goes with it.
_MOST_REQUESTS = 100


class _Decoder:
    """A child process that decodes one video after another."""

    def __init__(self) -> None:
        self.requests = 0
        self.process = spawn(
            [sys.executable, "-m", "dreamactor_core.video.decode_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A decoder needs no maths threads; their stacks would count against its memory limit.
            environment={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )

    def ask(self, message: object) -> None:
        """Send one line; that nobody is there to read it shows in the answer."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def end(self) -> None:
        """Kill it."""
        stop(self.process, grace_s=0)
        for pipe in (self.process.stdin, self.process.stdout):
            # What could not be sent is not sent now.
            with contextlib.suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()


class _Spare(threading.local):
    """The thread's idle child. A child is tied to the thread that started it, so no other thread may have it."""

    decoder: _Decoder | None = None

    def take(self) -> _Decoder:
        """The idle one, if it lives, or a new one."""
        decoder, self.decoder = self.decoder, None
        if decoder is None or decoder.process.poll() is not None:
            return _Decoder()
        return decoder

    def keep(self, decoder: _Decoder) -> None:
        """For the next video, unless there is one already or it is tired."""
        if self.decoder is not None or decoder.requests >= _MOST_REQUESTS:
            decoder.end()
        else:
            self.decoder = decoder

    def end(self) -> None:
        """Kill the idle one."""
        if self.decoder is not None:
            self.decoder.end()
        self.decoder = None

    def forget(self) -> None:
        """After a fork the child is the parent's."""
        self.decoder = None


_spare = _Spare()
atexit.register(_spare.end)
os.register_at_fork(after_in_child=_spare.forget)


class Request:
    """One video in the hands of a child: `with Request(path, "frames", deadline_s) as request: request.info`

    Args:
        mode: info, times or frames: what is asked for beside the info.

    Raises:
        DecodeError: damaged, or the decoder hangs or dies.
    """

    def __init__(self, path: Path, mode: str, deadline_s: float) -> None:
        self._path, self._mode, self._deadline_s = path, mode, deadline_s
        self._served = False

    def __enter__(self) -> Self:
        self._decoder = _spare.take()
        self._decoder.requests += 1
        try:
            # The child stays in the folder in which it was started, and this process need not have.
            self._decoder.ask([str(self._path.absolute()), self._mode])
            self.info = VideoInfo.from_json(self._message()["info"])
        except BaseException:
            self._decoder.end()
            raise
        self._served = self._mode == "info"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._served:
            _spare.keep(self._decoder)
        else:
            self._decoder.end()

    def frames(self, indices: Sequence[int] | None) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8 RGB frames; all of them where no indices are given."""
        self._served = False
        self._decoder.ask(None if indices is None else [int(index) for index in indices])
        shape = (self.info.height, self.info.width, 3)
        size = int(np.prod(shape))
        while (mark := self._read(1)) == b"F":
            yield np.frombuffer(self._read(size), dtype=np.uint8).reshape(shape)
        if mark == b"{":
            self._raise(json.loads(mark + self._line()))
        self._served = True

    def times_s(self) -> np.ndarray:
        """(T,) float64 seconds."""
        times_s = np.frombuffer(self._read(8 * self.info.frame_count), dtype="<f8").astype(np.float64)
        self._served = True
        return times_s

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
        assert self._decoder.process.stdout is not None
        descriptor = self._decoder.process.stdout.fileno()
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
