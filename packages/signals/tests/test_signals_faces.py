"""Face crops: square, steady, black without a face, streamed."""

from collections.abc import Iterator

import numpy as np
import pytest
from dreamactor_signals.faces import crop_faces, face_windows, stream_face_crops


def _frames(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (count, 60, 80, 3), dtype=np.uint8)


def test_crops_are_black_where_there_is_no_face() -> None:
    boxes = np.array([[20, 10, 50, 50], [0, 0, 0, 0], [22, 10, 52, 50]], np.float32)
    crops = crop_faces(_frames(3), boxes, size=32)
    assert crops.shape == (3, 32, 32, 3)
    assert crops.dtype == np.uint8
    assert crops[1].max() == 0
    assert min(crops[0].mean(), crops[2].mean()) > 80


def test_crop_holds_the_whole_box_with_room() -> None:
    frame = np.zeros((100, 100, 3), np.uint8)
    frame[30:70, 40:60] = 255
    crop = crop_faces([frame], np.array([[40, 30, 60, 70]]), size=52)[0]
    # The window is 1.3 x 40 px wide, one crop pixel a frame pixel: the white box keeps its size, in the middle.
    assert (crop[:, :, 0] > 127).sum() == 40 * 20
    np.testing.assert_allclose(np.argwhere(crop[:, :, 0] > 127).mean(axis=0), [25.5, 25.5])


def test_windows_are_steadier_than_the_boxes() -> None:
    jitter = np.random.default_rng(1).normal(scale=3, size=(80, 4))
    windows = [window for window in face_windows(np.array([20, 20, 60, 70]) + jitter) if window is not None]
    assert len(windows) == 80
    assert np.std([window.side_px for window in windows]) < 1
    assert np.std([window.center_px[0] for window in windows]) < 1.2


def test_streaming_takes_one_frame_at_a_time() -> None:
    taken = []

    def frames() -> Iterator[np.ndarray]:
        for index, frame in enumerate(_frames(4)):
            taken.append(index)
            yield frame

    stream = stream_face_crops(frames(), np.tile([10, 10, 40, 40], (4, 1)), size=16)
    next(stream)
    assert taken == [0]


def test_frames_and_boxes_must_agree_in_number() -> None:
    with pytest.raises(ValueError, match="zip"):
        crop_faces(_frames(2), np.tile([10, 10, 40, 40], (3, 1)))
