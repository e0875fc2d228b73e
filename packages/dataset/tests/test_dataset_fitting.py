"""Training frames keep the aspect, and tracks follow the pixels."""

from collections.abc import Callable

import numpy as np
import pytest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_dataset.fitting import Fit, bucket_size
from hypothesis import given
from hypothesis import strategies as st

sides = st.integers(64, 4096)


@given(sides, sides, st.sampled_from([128 * 128, 480 * 320, 960 * 640]))
def test_buckets_keep_area_and_aspect(width: int, height: int, area: int) -> None:
    if not 1 / 3 < width / height < 3:
        return
    size = bucket_size(width, height, area)
    assert size[0] % 16 == size[1] % 16 == 0
    # Half a step of 16 on the shorter side is the most that rounding may cost.
    slack = 8 / min(size) + 1e-9
    assert (1 - 2 * slack) * area < size[0] * size[1] < (1 + slack) ** 2 * area * 1.2
    assert abs(np.log(size[0] / size[1] * height / width)) < 3 * slack


def test_paper_size() -> None:
    assert bucket_size(1920, 1280, 960 * 640) == (960, 640)
    assert bucket_size(1080, 1920, 960 * 640) == (592, 1040)


@pytest.mark.parametrize(("frame_size", "size"), [((200, 120), (96, 64)), ((120, 200), (64, 96)), ((40, 40), (96, 96))])
def test_a_point_of_the_track_stays_on_its_pixel(
    frame_size: tuple[int, int], size: tuple[int, int], standing_person: Callable[..., MotionTrack]
) -> None:
    track = standing_person(2, size=frame_size)
    fit = Fit.cover(frame_size, size)
    fitted = fit.track(track)
    # A soft blob drawn where the pelvis is projected must be found where the fitted track projects the pelvis.
    pelvis_px, fitted_px = (each.project(each.joints_cam_m[0, 0]) for each in (track, fitted))
    y_px, x_px = np.mgrid[: frame_size[1], : frame_size[0]] + 0.5
    blob = np.exp(-((x_px - pelvis_px[0]) ** 2 + (y_px - pelvis_px[1]) ** 2) / 60)
    frame = np.repeat((255 * blob[..., None]).astype(np.uint8), 3, axis=2)
    shrunk = fit.frames(frame[None])[0, :, :, 0].astype(float)
    assert shrunk.shape == size[::-1]
    y_px, x_px = np.mgrid[: size[1], : size[0]] + 0.5
    found_px = np.array([(x_px * shrunk).sum(), (y_px * shrunk).sum()]) / shrunk.sum()
    np.testing.assert_allclose(found_px, fitted_px, atol=0.6)
    assert fitted.frame_size == size


def test_face_boxes_follow(standing_person: Callable[..., MotionTrack]) -> None:
    track = standing_person(1, size=(200, 120))
    fitted = Fit.cover((200, 120), (96, 64)).track(track)
    head_px = fitted.project(fitted.head_center_cam_m[0])
    box_px = fitted.face_boxes_px[0]
    np.testing.assert_allclose((box_px[:2] + box_px[2:]) / 2, head_px, atol=1e-3)
