"""Whether FVD rises with every strength of four kinds of damage, on real footage.

python -m benchmarks.evaluation_parts.video_distances
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import cv2
import numpy as np
from dreamactor_core.footage import footage
from dreamactor_core.video import probe, read_frames
from dreamactor_model.evaluation.metrics.sets.frechet import frechet_distance
from dreamactor_model.evaluation.metrics.sets.i3d import FRAMES
from dreamactor_model.evaluation.metrics.sets.video_distance import video_features

_CLIPS = ("talking-head", "smiling-man", "acted-close-up", "studio-1", "two-people")
_CHUNKS, _SIDE_PX = 3, 160
_SHARES = (0.125, 0.25, 0.5, 1.0)


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """`fvd_monotone` and every distance behind it."""
    videos = list(_chunks(max(1, round(_CHUNKS * scale))))
    truth_NC = _features(videos)
    figures: dict[str, float | bool | str | None] = {}
    monotone = True
    for kind, damage in _DAMAGES.items():
        distances = [
            frechet_distance(_features([damage(video, share) for video in videos]), truth_NC) for share in _SHARES
        ]
        figures |= {f"fvd_{kind}_{share}": value for share, value in zip(_SHARES, distances, strict=True)}
        monotone &= distances == sorted(distances) and distances[0] > 0
    return {"fvd_monotone": monotone, "fvd_chunks": len(videos), **figures}


def _features(videos: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([video_features(video) for video in videos])


def _chunks(each: int) -> Iterator[np.ndarray]:
    """Chunks (16, S, S, 3) spread over every clip."""
    for name in _CLIPS:
        path = footage(name)
        starts = np.linspace(0, probe(path).frame_count - FRAMES, each).astype(int)
        for start in starts:
            frames = read_frames(path, range(start, start + FRAMES))
            yield np.stack([cv2.resize(frame, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA) for frame in frames])


def _blur(video: np.ndarray, share: float) -> np.ndarray:
    return np.stack([cv2.GaussianBlur(frame, (0, 0), 6 * share) for frame in video])


def _noise(video: np.ndarray, share: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 80 * share, video.shape)
    return np.clip(video + noise, 0, 255).astype(np.uint8)


def _shuffle(video: np.ndarray, share: float) -> np.ndarray:
    """A share of the frames, other ones in every video, each take the place of another of them."""
    random = np.random.default_rng(zlib.crc32(video[0].tobytes()))
    picked = random.permutation(len(video))[: round(len(video) * share)]
    order = np.arange(len(video))
    order[picked] = np.roll(picked, 1)
    return video[order]


def _freeze(video: np.ndarray, share: float) -> np.ndarray:
    """The end stands still."""
    moving = len(video) - round(len(video) * share)
    return video[np.minimum(np.arange(len(video)), max(moving - 1, 0))]


_DAMAGES: Mapping[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "blur": _blur,
    "noise": _noise,
    "shuffle": _shuffle,
    "freeze": _freeze,
}

if __name__ == "__main__":
    print(json.dumps(measure()))
