"""Framing and views on people whose truth is known: what the stage was set for is what signals tell of it."""

import numpy as np
import pytest
from dreamactor_dataset.synthetic.clip import Clip, make_clip
from dreamactor_dataset.synthetic.figure.figure import build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity
from dreamactor_dataset.synthetic.plan import ClipPlan, plan_clips
from dreamactor_signals.views import framing, half_body_box_px, half_body_frame, head_angles_rad, pick_views

SEED = 41


@pytest.fixture(scope="module")
def staged() -> list[tuple[ClipPlan, Clip]]:
    """Two clips of each framing, three frames each."""
    plans = plan_clips(8, 40, SEED)
    chosen = [plan for wanted in ("portrait", "half", "full") for plan in plans if plan.framing == wanted]
    kept = [plan for i, plan in enumerate(chosen) if sum(p.framing == plan.framing for p in chosen[:i]) < 2]
    return [(plan, make_clip(plan, build_figure(make_identity(SEED, plan.person)), (192, 192), 3)) for plan in kept]


def test_framings_are_those_the_cameras_were_set_for(staged: list[tuple[ClipPlan, Clip]]) -> None:
    assert [framing(clip.track) for _, clip in staged] == [plan.framing for plan, _ in staged]


def test_views_are_the_frames_of_most_and_least_true_yaw(staged: list[tuple[ClipPlan, Clip]]) -> None:
    for _, clip in staged:
        yaw_rad = head_angles_rad(clip.track)[0]
        most, least, _ = pick_views(clip.track)
        assert (yaw_rad[most], yaw_rad[least]) == (yaw_rad.max(), yaw_rad.min())


def test_half_body_crops_of_whole_bodies_are_mostly_body(staged: list[tuple[ClipPlan, Clip]]) -> None:
    for plan, clip in staged:
        if plan.framing != "full":
            continue
        frame = half_body_frame(clip.track, 1)
        assert frame is not None
        x0, y0, x1, y1 = half_body_box_px(clip.track, frame, 2 / 3)
        cover = clip.cover[frame]
        assert cover[y0:y1, x0:x1].mean() > 1.5 * cover.mean()
        head_px = clip.track.project(clip.track.head_center_cam_m)[frame]
        assert (np.array([x0, y0]) < head_px).all()
        assert (head_px < np.array([x1, y1])).all()
