"""Copies that are encoded again, scaled or cropped are found; other takes of the same scene are not."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from dreamactor_core.footage import footage
from dreamactor_core.manifest import ClipRow
from dreamactor_core.settings.ingest import IngestSettings
from dreamactor_core.video import VideoWriter, read_frames
from dreamactor_dataset.ingest import ingest_videos
from dreamactor_dataset.ingest.looks.likeness import likeness
from dreamactor_dataset.ingest.looks.pictures import PICTURES, SIDE_PX, digest, look_of, small_picture
from dreamactor_dataset.ingest.looks.search import Candidate, find_lookalikes

SETTINGS = IngestSettings(
    min_frames=5, processes=1, default_source="made", default_licence="CC0-1.0", default_consent="given"
)


def _look(frames: list[np.ndarray]) -> np.ndarray:
    return look_of([small_picture(np.ascontiguousarray(frame)) for frame in frames])


def _copy(frames: np.ndarray, *, quality: int = 40, scale: float = 1.0, crop: float = 0.0) -> list[np.ndarray]:
    """Cropped by a share of each side, scaled, and through JPEG."""
    height, width = frames.shape[1:3]
    top, left = int(crop * height), int(crop * width)
    made = []
    for frame in frames[:, top : height - top, left : width - left]:
        small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        made.append(cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR))
    return made


@pytest.fixture(scope="module")
def takes() -> list[np.ndarray]:
    """Real footage: three takes of a man in a car, three of an actor in one room."""
    car = read_frames(footage("talking-head"))
    room = read_frames(footage("acted-close-up"), list(range(0, 240, 2)))
    return [frames[40 * part : 40 * (part + 1)] for frames in (car, room) for part in range(3)]


@pytest.mark.parametrize(
    "how", [{"quality": 20}, {"scale": 0.5, "quality": 30}, {"crop": 0.03}, {"crop": 0.06}], ids=str
)
def test_copies_of_real_footage_are_told_from_other_takes(takes: list[np.ndarray], how: dict[str, float]) -> None:
    looks = [_look(list(take)) for take in takes]
    for index, take in enumerate(takes):
        copy = _look(_copy(take, **how))
        alike = [likeness(look, copy) for look in looks]
        assert alike[index] >= SETTINGS.lookalike_likeness
        assert max(value for other, value in enumerate(alike) if other != index) < 0.5
        near = np.array(
            [int(a ^ b).bit_count() for a, b in zip(digest(looks[index]).hashes, digest(copy).hashes, strict=True)]
        )
        assert near.mean() <= SETTINGS.lookalike_bits


def _candidates(looks: list[np.ndarray], videos: list[str], durations_s: list[float]) -> list[Candidate]:
    return [
        Candidate(digest(look), duration_s, video, lambda look=look: look)  # type: ignore[misc]
        for look, video, duration_s in zip(looks, videos, durations_s, strict=True)
    ]


def test_pairs_are_found_among_many_and_never_within_a_video(takes: list[np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    noise = [
        np.stack([cv2.resize(rng.integers(0, 255, (6, 6), np.uint8), (SIDE_PX, SIDE_PX)) for _ in range(PICTURES)])
        for _ in range(300)
    ]
    originals = [_look(list(take)) for take in takes]
    copies = [_look(_copy(take, scale=0.7, crop=0.02)) for take in takes]
    looks = [*noise, *originals, *copies]
    durations_s = [4.0] * len(looks)
    videos = [str(index) for index in range(len(looks))]
    found = find_lookalikes(_candidates(looks, videos, durations_s), bits=20, least_likeness=0.7)
    assert found == [(300 + index, 306 + index) for index in range(6)]
    one_video = [*videos[:306], *videos[300:306]]
    assert find_lookalikes(_candidates(looks, one_video, durations_s), bits=20, least_likeness=0.7) == []
    # A part of a clip is no copy of it.
    durations_s[306:] = [3.0] * 6
    assert find_lookalikes(_candidates(looks, videos, durations_s), bits=20, least_likeness=0.7) == []


def test_fades_and_stillness_do_not_make_copies() -> None:
    rng = np.random.default_rng(1)
    first, second = (cv2.resize(rng.integers(40, 200, (8, 8), np.uint8), (SIDE_PX, SIDE_PX)) for _ in range(2))
    fade = np.linspace(0.5, 1, PICTURES)[:, None, None]
    assert likeness((first * fade).astype(np.uint8), (second * fade).astype(np.uint8)) < 0.5
    still = np.tile(first, (PICTURES, 1, 1))
    assert likeness(still, still) > 0.97
    assert likeness(still, np.tile(second, (PICTURES, 1, 1))) < 0.5
    assert likeness(np.zeros_like(still), np.zeros_like(still)) == 0


def test_of_planted_copies_the_best_is_kept_and_the_group_known(
    write_clip: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    original = write_clip(folder / "original.mp4", 24, shade=1)
    (folder / "twin.mp4").write_bytes(original.read_bytes())
    write_clip(folder / "stranger.mp4", 24, shade=2)
    with VideoWriter(folder / "again.mp4", Fraction(25), size=(72, 120), crf=24) as writer:
        for frame in read_frames(original):
            writer.write(cv2.resize(frame, (72, 120), interpolation=cv2.INTER_AREA))
    rows: dict[str, ClipRow] = {
        row.clip_id: row for row in ingest_videos(folder, tmp_path / "set", SETTINGS, report=lambda _: None)
    }
    assert {name: row.reason for name, row in rows.items()} == {
        "original": None,
        "stranger": None,
        "twin": "exact duplicate of original",
        "again": "looks the same as original",
    }
    assert [rows[name].perceptual_group for name in ("original", "twin", "again")] == ["original"] * 3
    assert rows["stranger"].perceptual_group == "stranger"
