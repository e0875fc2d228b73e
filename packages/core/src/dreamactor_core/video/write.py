"""Write mp4s with PyAV: H.264, sound carried over from another file, the result whole or absent."""

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from dreamactor_core.errors import InputError
from dreamactor_core.files import atomic_path

if TYPE_CHECKING:
    from av.container import OutputContainer

_PIXELS = "yuv420p"
# Its AVX-512 code gives other bytes now and then on noisy frames; with AVX2 equal frames give equal files.
_X264 = "asm=AVX2"
_AUDIO_KEPT_AS_IS = ("aac", "mp3", "alac", "ac3")


class VideoWriter:
    """`with VideoWriter(path, fps, size=(w, h)) as writer: writer.write(frame)`: the mp4 appears at the end.

    Args:
        path: the mp4.
        fps: frames a second.
        size: width and height, both even (H.264 stores colour at half resolution).
        audio_from: a file whose first audio stream is carried over, cut to the video's length.
        audio_start_s: where in that file the video begins.
        crf: H.264 quality; 0 is lossless, 18 looks it.

    Raises:
        InputError: odd size, or a frame of another shape or type.
    """

    def __init__(
        self,
        path: Path | str,
        fps: Fraction,
        *,
        size: tuple[int, int],
        audio_from: Path | str | None = None,
        audio_start_s: float = 0.0,
        crf: int = 16,
    ) -> None:
        if size[0] % 2 or size[1] % 2:
            raise InputError(f"a video of {size[0]}x{size[1]} cannot be written: both sides must be even", path=path)
        self._path, self._fps, self._size, self._crf = Path(path), Fraction(fps), size, crf
        self._audio_from, self._audio_start_s = audio_from, audio_start_s
        self._frame_count = 0

    def __enter__(self) -> Self:
        import av

        self._stack = ExitStack()
        temporary = self._stack.enter_context(atomic_path(self._path))
        self._container = av.open(str(temporary), "w", options={"movflags": "+faststart"})
        self._stream = self._container.add_stream("libx264", rate=self._fps)
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = _PIXELS
        # One thread and no wall-clock stamps: equal frames give equal bytes.
        self._stream.thread_count = 1
        self._stream.options = {"crf": str(self._crf), "preset": "medium", "x264-params": _X264}
        self._audio = _AudioCopy(self._container, self._audio_from, self._audio_start_s)
        return self

    def write(self, frame: np.ndarray) -> None:
        """Append one (H, W, 3) uint8 RGB frame."""
        import av

        if frame.shape != (self._size[1], self._size[0], 3) or frame.dtype != np.uint8:
            raise InputError(
                f"frame {frame.shape} {frame.dtype} does not fit a video of {self._size[0]}x{self._size[1]}",
                path=self._path,
            )
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        # The encoder's own conversion reads past row ends and so gives other bytes from run to run; this one does not.
        picture = picture.reformat(format=_PIXELS)
        picture.pts = self._frame_count
        picture.time_base = 1 / self._fps
        self._frame_count += 1
        self._container.mux(self._stream.encode(picture))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as problem:
            self._container.close()
            self._stack.__exit__(type(problem), problem, problem.__traceback__)
            raise
        self._container.close()
        self._stack.__exit__(kind, error, trace)

    def _finish(self) -> None:
        if self._frame_count == 0:
            raise InputError("no frames were written", path=self._path)
        self._container.mux(self._stream.encode(None))
        self._audio.run(duration_s=float(self._frame_count / self._fps))


class _AudioCopy:
    """The first audio stream of another file from some time on, copied where mp4 holds its codec, else as AAC."""

    def __init__(self, container: "OutputContainer", source: Path | str | None, start_s: float) -> None:
        import av

        self._container, self._start_s = container, start_s
        self._input = None if source is None else av.open(str(source))
        if self._input is None or not self._input.streams.audio:
            self._source = None
            return
        self._source = self._input.streams.audio[0]
        self._copied = self._source.codec_context.name in _AUDIO_KEPT_AS_IS
        if self._copied:
            self._stream = container.add_stream_from_template(self._source)
        else:
            self._stream = container.add_stream("aac", rate=self._source.codec_context.sample_rate)

    def run(self, duration_s: float) -> None:
        if self._input is None:
            return
        with self._input:
            if self._source is None:
                return
            if self._start_s and self._source.time_base is not None:
                self._input.seek(int(self._start_s / self._source.time_base), stream=self._source)
            if self._copied:
                self._copy(duration_s)
            else:
                self._encode(duration_s)

    def _copy(self, duration_s: float) -> None:
        assert self._input is not None
        assert self._source is not None
        for packet in self._input.demux(self._source):
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            offset = round(self._start_s / packet.time_base)
            # Packets are cut where they begin: sound is off by half a packet at most, a hundredth of a second.
            if packet.dts < offset:
                continue
            packet.dts, packet.pts = packet.dts - offset, packet.pts - offset
            if packet.dts * packet.time_base >= duration_s:
                break
            packet.stream = self._stream
            self._container.mux(packet)

    def _encode(self, duration_s: float) -> None:
        assert self._input is not None
        for frame in self._input.decode(audio=0):
            if frame.time is None or frame.pts is None or frame.time_base is None or frame.time < self._start_s:
                continue
            if frame.time >= self._start_s + duration_s:
                break
            frame.pts -= round(self._start_s / frame.time_base)
            self._container.mux(self._stream.encode(frame))
        self._container.mux(self._stream.encode(None))
