"""The driving side: a video becomes a motion track and face tokens, in two streamed passes.

Legend: T video frames, C token width.
"""

from collections.abc import Iterable, Iterator
from itertools import batched, islice
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.console import progress
from dreamactor_core.errors import InputError
from dreamactor_core.files import sha256_file
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.video import VideoInfo, open_video
from dreamactor_signals.faces import crop_faces
from dreamactor_signals.trackers import Tracker

from dreamactor_model.actor import DreamActor

_FACE_BATCH = 16


def track_performance(path: Path, tracker: Tracker, *, max_frames: int | None) -> tuple[MotionTrack, VideoInfo]:
    """Track the driving video.

    Raises:
        InputError, DecodeError: not a video, damaged, or nobody in it.
    """
    with open_video(path) as video:
        wanted = _length(video.info, max_frames)
        frames = progress(islice(video, wanted), "reading the performance", wanted)
        size = (video.info.width, video.info.height)
        try:
            return tracker.track(frames, video.info.fps, size, sha256_file(path)), video.info
        except InputError as problem:
            raise InputError(problem.problem, path=path, remedy="Give a video that shows one person") from problem


def _length(info: VideoInfo, max_frames: int | None) -> int:
    return info.frame_count if max_frames is None else min(max_frames, info.frame_count)


@torch.inference_mode()
def face_tokens(path: Path, track: MotionTrack, actor: DreamActor) -> torch.Tensor:
    """(1, T, C) face motion tokens of every frame; frames without a face keep black crops, as in training."""
    device = next(actor.parameters()).device
    with open_video(path) as video:
        pieces = [
            actor.encode_face(_as_batch(crops_THWC).to(device))
            for crops_THWC in _crops(progress(islice(video, len(track)), "reading the face", len(track)), track)
        ]
    return torch.cat(pieces, dim=1)


def _crops(frames: Iterable[np.ndarray], track: MotionTrack) -> Iterator[np.ndarray]:
    for start, chunk in zip(range(0, len(track), _FACE_BATCH), batched(frames, _FACE_BATCH), strict=True):
        part = slice(start, start + len(chunk))
        yield crop_faces(chunk, track.face_boxes_px[part], track.face_confidence[part])


def _as_batch(crops_THWC: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(crops_THWC).permute(0, 3, 1, 2)[None].float() / 255
