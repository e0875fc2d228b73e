"""The parent's side of the process in which mmpose lives: started once, kept over clips, killed when it hangs.

Legend: K = 133 whole-body keypoints.
"""

import contextlib
import json
import os
import selectors
import struct
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from dreamactor_core.children import spawn, stop
from dreamactor_core.errors import DreamactorError, SettingsError, TrackerError, WeightsError
from dreamactor_core.settings.signals import MmposeSettings

from dreamactor_signals.trackers.mmpose.layout import KEYPOINTS

CHILD = Path(__file__).parent / "child"
SETUP = "Run: make setup-mmpose"
_REQUEST = struct.Struct("<iiffff")
_CHUNK_BYTES = 1 << 20
_ERRORS: dict[str, type[DreamactorError]] = {"weights": WeightsError, "settings": SettingsError}


class MmposeProcess:
    """mmpose with one network, in its own environment.

    Args:
        settings: environment, config, checkpoint, device and deadlines.
        threads: of torch.

    Raises:
        TrackerError: the environment is not there, or mmpose broke down or hung while loading.
        WeightsError: no checkpoint, a damaged one, or one of another config.
        SettingsError: no such config or device.
    """

    def __init__(self, settings: MmposeSettings, *, threads: int) -> None:
        self._settings = settings
        python, checkpoint = check_files(settings)
        # Whatever mmpose has to say is kept for the error, should it break down.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = spawn(
            [str(python), "-s", "-E", str(CHILD), settings.config, str(checkpoint), settings.device, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            environment={"OMP_NUM_THREADS": str(threads), "MPLBACKEND": "Agg"},
        )
        self._unanswered = False
        self._stop = weakref.finalize(self, _end, self._process, self._log)
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        with self._ended_on_error():
            self.description = self._hello(checkpoint)

    @property
    def alive(self) -> bool:
        """Whether it can take a frame."""
        return self._stop.alive and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of the process, which leads a group of its own."""
        return self._process.pid

    def close(self) -> None:
        """End it; the object is of no more use."""
        self._stop()

    def submit(self, frame: np.ndarray, box_px: np.ndarray) -> None:
        """Hand over a frame and go on; `collect` gives what is seen in it. One frame at a time.

        Args:
            frame: (H, W, 3) uint8 RGB.
            box_px: (4,) x0 y0 x1 y1 around the whole person.

        Raises:
            TrackerError: it broke down, or did not take the frame before the deadline; it has been killed then.
        """
        height, width = frame.shape[:2]
        with self._ended_on_error():
            if self._unanswered:
                raise RuntimeError("the frame before has not been collected")
            self._unanswered = True
            deadline = time.monotonic() + self._settings.frame_deadline_s
            self._write(_REQUEST.pack(height, width, *(float(edge) for edge in box_px)), deadline)
            self._write(np.ascontiguousarray(frame).data.cast("B"), deadline)

    def collect(self) -> np.ndarray:
        """(K, 3) float32 x, y in frame pixels and score in [0, 1], of the frame handed over last.

        Raises:
            TrackerError: it broke down or did not answer before the deadline (it has been killed then), or mmpose
                could not read this frame.
        """
        with self._ended_on_error():
            deadline = time.monotonic() + self._settings.frame_deadline_s
            mark = self._read(1, deadline)
            self._unanswered = False
            if mark == b"K":
                numbers = np.frombuffer(self._read(KEYPOINTS * 3 * 4, deadline), dtype="<f4")
                return numbers.reshape(KEYPOINTS, 3).astype(np.float32)
            problem = json.loads(self._line(deadline))["error"]
        raise TrackerError(f"mmpose cannot read a frame ({problem})")

    def forget(self) -> None:
        """Drop the answer to a frame that nobody collected, as after a video that broke off."""
        if self._unanswered:
            with contextlib.suppress(TrackerError):
                self.collect()

    def _hello(self, checkpoint: Path) -> dict[str, str]:
        message: dict[str, Any] = json.loads(self._line(time.monotonic() + self._settings.start_deadline_s))
        if "error" in message:
            kind = message["kind"]
            path = checkpoint if kind == "weights" else None
            raise _ERRORS[kind](message["error"], path=path, remedy=message["remedy"])
        return message["ready"]

    def _line(self, deadline: float) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            line += self._read(1, deadline)
        return line

    def _read(self, size: int, deadline: float) -> bytes:
        pipe = self._process.stdout
        assert pipe is not None
        data = bytearray()
        while len(data) < size:
            self._wait(pipe, selectors.EVENT_READ, deadline)
            piece = os.read(pipe.fileno(), min(size - len(data), _CHUNK_BYTES))
            if not piece:
                raise self._broken()
            data += piece
        return bytes(data)

    def _write(self, data: bytes | memoryview, deadline: float) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        rest = memoryview(data)
        while rest:
            self._wait(pipe, selectors.EVENT_WRITE, deadline)
            try:
                rest = rest[os.write(pipe.fileno(), rest[:_CHUNK_BYTES]) :]
            except BrokenPipeError as problem:
                raise self._broken() from problem
            except BlockingIOError:
                continue

    def _wait(self, pipe: IO[bytes], event: int, deadline: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, event)
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TrackerError(
                    "mmpose gave no answer in time and was stopped",
                    remedy="Raise signals.mmpose.frame_deadline_s (or start_deadline_s), or look for what slows it",
                )

    def _broken(self) -> TrackerError:
        """With the last thing that it said."""
        status = self._process.wait()
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip().splitlines()
        reason = said[-1][:300] if status > 0 and said else f"exit status {status}"
        return TrackerError(
            f"mmpose broke down ({reason})", remedy="If memory ran out, use fewer processes; else " + SETUP
        )

    @contextlib.contextmanager
    def _ended_on_error(self) -> Iterator[None]:
        """A process that has failed once is out of step: it is never used again."""
        try:
            yield
        except BaseException:
            self.close()
            raise


def check_files(settings: MmposeSettings) -> tuple[Path, Path]:
    """Interpreter and checkpoint, both there.

    Raises:
        TrackerError: no environment.
        WeightsError: no checkpoint.
    """
    # The interpreter is a link out of its environment, and must be called by that name.
    python = settings.python.absolute()
    if not python.is_file():
        raise TrackerError("the environment of the mmpose tracker is not there", path=python, remedy=SETUP)
    remedy = "Give --mmpose-checkpoint FILE; packages/signals/README.md tells where weights are to be had"
    if settings.checkpoint is None:
        raise WeightsError("the mmpose tracker needs a checkpoint", remedy=remedy)
    if not settings.checkpoint.is_file():
        raise WeightsError("no such checkpoint", path=settings.checkpoint, remedy=remedy)
    return python, settings.checkpoint.absolute()


def _end(process: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
    stop(process, grace_s=0)
    for pipe in (process.stdin, process.stdout, log):
        if pipe is not None:
            # Closing flushes what a dead reader will never take.
            with contextlib.suppress(OSError):
                pipe.close()
