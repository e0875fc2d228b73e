"""The child process that decodes: `python -m dreamactor_core.video.decode_child`, requests on stdin, frames on stdout.

Protocol: a request is a JSON line [path, mode]. The answer is a JSON line, {"info": ...} or
{"error": ..., "remedy": ...}; then, where frames were asked for, each as raw RGB bytes in the order asked, where times,
a float64 for each frame. The indices come as a JSON line too (null: all frames). After an error it ends: what a damaged
file left behind in a decoder is met by no other. The parent holds the deadline and kills; here live the operating
system's limits.
"""

import json
import resource
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from dreamactor_core.children import die_with_parent
from dreamactor_core.errors import DecodeError
from dreamactor_core.video.info import VideoInfo

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer

MAX_FRAME_PIXELS = 8192 * 8192
MAX_FRAMES = 1_000_000
_NARROW_PX = 80
_MEMORY_BYTES = 12 << 30
_BATCH_BYTES = 64 << 20


def inspect(path: str) -> tuple[VideoInfo, np.ndarray]:
    """Sizes, rate, sound, and the frames counted from packets (PyAV is the reference for counts), with their times.

    Returns:
        What is known, and (T,) seconds at which each frame is shown.
    """
    import av

    try:
        with av.open(path) as container:
            if not container.streams.video:
                raise DecodeError("has no video stream", path=path)
            stream = container.streams.video[0]
            width, height = _frame_size(stream, path)
            rate = stream.average_rate or stream.guessed_rate or stream.base_rate
            rotation = _rotation(path)
            times_s = _frame_times_s(container, stream, path)
    except av.FFmpegError as problem:
        raise DecodeError(
            f"is damaged or cut short ({problem.strerror or type(problem).__name__})",
            path=path,
            remedy="Get the whole file again",
        ) from problem
    if not rate:
        raise DecodeError("states no frame rate", path=path)
    if rotation % 180:
        width, height = height, width
    fps = Fraction(rate)
    times_s = np.arange(len(times_s)) / float(fps) if np.isnan(times_s).any() else np.sort(times_s)
    info = VideoInfo(width, height, fps, len(times_s), _has_audio(path), rotation, _is_even(times_s))
    return info, times_s


def _frame_size(stream: "VideoStream", path: str) -> tuple[int, int]:
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height == 0:
        # Far too large ones are not even read from the header.
        raise DecodeError("states no frame size that can be decoded: none, or far too large", path=path)
    if width * height > MAX_FRAME_PIXELS:
        raise DecodeError(f"frame size {width}x{height} is too large, {MAX_FRAME_PIXELS} pixels are allowed", path=path)
    return width, height


def _is_even(times_s: np.ndarray) -> bool:
    """Whether no frame is more than half a frame away from its place on an even grid."""
    grid_s = np.linspace(times_s[0], times_s[-1], len(times_s))
    return bool(np.ptp(times_s - grid_s) * (len(times_s) - 1) <= np.ptp(times_s))


def _has_audio(path: str) -> bool:
    import av

    with av.open(path) as container:
        return bool(container.streams.audio)


def _rotation(path: str) -> int:
    """Counter-clockwise turn stated by the display matrix; PyAV gives it with the first frame."""
    import av

    with av.open(path) as container:
        for frame in container.decode(video=0):
            return round(frame.rotation / 90) * 90 % 360
    raise DecodeError("holds no frame that can be decoded", path=path, remedy="Get the whole file again")


def _frame_times_s(container: "InputContainer", stream: "VideoStream", path: str) -> np.ndarray:
    """When each packet that carries a frame is shown, in the order of the file; NaN where it does not say.

    Fewer than the container's own table promises means that the file was cut.
    """
    times_s: list[float] = []
    for packet in container.demux(stream):
        # The flushing packet at the end is empty; edit lists mark frames that are never shown.
        if packet.size and not packet.is_discard:
            if packet.pts is None or packet.time_base is None:
                times_s.append(float("nan"))
            else:
                times_s.append(float(packet.pts * packet.time_base))
        if len(times_s) > MAX_FRAMES:
            raise DecodeError(f"has more than {MAX_FRAMES} frames", path=path, remedy="Split it first")
        if packet.is_corrupt:
            raise DecodeError(f"is damaged after frame {len(times_s)}", path=path, remedy="Get the whole file again")
    found = len(times_s)
    if found == 0:
        raise DecodeError("holds no frames", path=path)
    if stream.frames and found < stream.frames - 1:
        raise DecodeError(
            f"is cut short: {found} of {stream.frames} frames are there", path=path, remedy="Get the whole file again"
        )
    return np.array(times_s)


def decode(path: str, info: VideoInfo, indices: Sequence[int] | None) -> Iterator[np.ndarray]:
    """Frames (H, W, 3) uint8 RGB, upright, in the order asked.

    Decord reads all but videos with rotation metadata and very narrow ones: it turns the first itself, and then trips
    over row padding, as it does for some narrow widths. PyAV reads those.
    """
    wanted = range(info.frame_count) if indices is None else indices
    in_order = info.rotation or info.width < _NARROW_PX
    return _decode_in_order(path, info, wanted) if in_order else _decode_anywhere(path, info, wanted)


def _decode_anywhere(path: str, info: VideoInfo, wanted: Sequence[int]) -> Iterator[np.ndarray]:
    import decord

    try:
        reader = decord.VideoReader(path, num_threads=1)
    except decord.DECORDError as problem:
        raise DecodeError("cannot be opened by the decoder", path=path) from problem
    batch = max(1, _BATCH_BYTES // (info.width * info.height * 3))
    for start in range(0, len(wanted), batch):
        chunk = list(wanted[start : start + batch])
        try:
            yield from reader.get_batch(chunk).asnumpy()
        except (decord.DECORDError, IndexError) as problem:
            raise _broken_near(path, chunk[0]) from problem


def _decode_in_order(path: str, info: VideoInfo, wanted: Sequence[int]) -> Iterator[np.ndarray]:
    import av

    remaining = Counter(wanted)
    held: dict[int, np.ndarray] = {}
    decoded = -1
    with av.open(path) as container:
        frames = container.decode(video=0)
        for index in wanted:
            while decoded < index:
                frame, decoded = next(frames, None), decoded + 1
                if frame is None:
                    raise _broken_near(path, decoded)
                if remaining[decoded]:
                    held[decoded] = np.rot90(frame.to_ndarray(format="rgb24"), info.rotation // 90)
            remaining[index] -= 1
            yield np.ascontiguousarray(held[index] if remaining[index] else held.pop(index))


def _broken_near(path: str, index: int) -> DecodeError:
    return DecodeError(f"cannot be decoded near frame {index}", path=path, remedy="Get the whole file again")


def _limit_resources() -> None:
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _send(out: BinaryIO, message: dict[str, object]) -> None:
    out.write(json.dumps(message).encode() + b"\n")
    out.flush()


def main() -> None:
    """Serve requests until there are no more."""
    _limit_resources()
    out = sys.stdout.buffer
    while line := sys.stdin.readline():
        path, mode = json.loads(line)
        try:
            _serve(out, path, mode)
        except DecodeError as error:
            _send(out, {"error": error.problem, "remedy": error.remedy})
            sys.exit(1)


def _serve(out: BinaryIO, path: str, mode: str) -> None:
    info, times_s = inspect(path)
    _send(out, {"info": info.to_json()})
    if mode == "frames":
        _serve_frames(out, path, info)
    elif mode == "times":
        out.write(times_s.astype("<f8").tobytes())
        out.flush()


def _serve_frames(out: BinaryIO, path: str, info: VideoInfo) -> None:
    indices = json.loads(sys.stdin.readline() or "null")
    for frame in decode(path, info, indices):
        # One mark byte before each frame, so that an error can still be told in the middle of the stream.
        out.write(b"F")
        out.write(frame.data)
    out.write(b".")
    out.flush()


if __name__ == "__main__":
    main()
