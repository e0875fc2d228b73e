"""`--transfer`, through the whole inference: every combination draws and crops what it says, and nothing else.

The two people have one body and stand alike, so that retargeting changes nothing: what is expected is put together by
hand, part by part.
"""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.image import write_image
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.retarget import PARTS, Part
from dreamactor_core.skeleton import BODY_JOINTS, JOINT_COUNT, joint_index
from dreamactor_core.video import read_frames
from dreamactor_model.animate import AnimateRequest
from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_signals.draw import control_maps
from dreamactor_signals.faces import crop_faces
from dreamactor_signals.head_angles import rotation_of_angles
from staged_person import loaded_model, staged_animator, write_shades
from swaying_person import SIDE, person_track
from torch import Tensor

FRAMES = 5
_KNEES = [joint_index("left_knee"), joint_index("right_knee")]
_SHINS = [joint_index(f"{side}_{part}") for side in ("left", "right") for part in ("ankle", "heel", "toe")]
_FINGERS = slice(BODY_JOINTS.stop, JOINT_COUNT)
_TIME = np.linspace(0, 1, FRAMES)


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return loaded_model()


def _standing(frames: int) -> MotionTrack:
    """The pose of rest; no feet, so that no ground is looked for."""
    track = person_track(1)[[0] * frames]
    confidence = track.joint_confidence.copy()
    confidence[:, _SHINS] = 0
    return replace(
        track, joint_confidence=confidence, joints_cam_m=np.where(confidence[..., None] > 0, track.joints_cam_m, 0)
    )


def _performing(frames: int) -> MotionTrack:
    """Knees swing (body), fingers turn about the wrists (hands), the head turns on the spot (head)."""
    track = _standing(frames)
    joints_m = track.joints_cam_m.copy()
    for side, knee in zip(("left", "right"), _KNEES, strict=True):
        _swing(joints_m, [knee], joint_index(f"{side}_hip"))
    for side, first in (("left", BODY_JOINTS.stop), ("right", BODY_JOINTS.stop + 20)):
        _swing(joints_m, list(range(first, first + 20)), joint_index(f"{side}_wrist"))
    return replace(track, joints_cam_m=joints_m, head_rotation=rotation_of_angles(_TIME, 0 * _TIME, 0 * _TIME))


def _swing(joints_m: np.ndarray, joints: list[int], about: int) -> None:
    turn = rotation_of_angles(0 * _TIME, 0 * _TIME, 1.2 * _TIME)
    center_m = joints_m[:, [about]]
    joints_m[:, joints] = center_m + np.einsum("tij,tnj->tni", turn, joints_m[:, joints] - center_m)


def _expected(transfer: tuple[Part, ...]) -> MotionTrack:
    still, moving = _standing(FRAMES), _performing(FRAMES)
    joints_m = still.joints_cam_m.copy()
    if "body" in transfer:
        joints_m[:, BODY_JOINTS] = moving.joints_cam_m[:, BODY_JOINTS]
    if "hands" in transfer:
        joints_m[:, _FINGERS] = moving.joints_cam_m[:, _FINGERS]
    head = moving if "head" in transfer else still
    return replace(still, joints_cam_m=joints_m, head_rotation=head.head_rotation)


@pytest.mark.parametrize(
    "transfer", [parts for count in range(1, 5) for parts in combinations(PARTS, count)], ids="+".join
)
def test_every_combination_draws_and_crops_what_it_says(
    model: LoadedModel, tmp_path: Path, transfer: tuple[Part, ...]
) -> None:
    driving = write_shades(tmp_path / "driving.mp4", range(60, 60 + 20 * FRAMES, 20))
    reference = tmp_path / "reference.png"
    ramp = np.tile(np.arange(SIDE, dtype=np.uint8)[:, None, None], (1, SIDE, 3))
    write_image(reference, 190 - ramp)
    settings = load_settings(
        {"sampling.steps": 1, "sampling.segment_frames": FRAMES, "signals.retarget.transfer": ",".join(transfer)}
    )
    seen: dict[str, Tensor] = {}
    hooks = [
        model.actor.pose_encoder.register_forward_pre_hook(lambda _, given: seen.update(pose=given[0])),
        model.actor.face_encoder.register_forward_pre_hook(lambda _, given: seen.update(face=given[0])),
    ]
    animator = staged_animator(lambda frames: _performing(len(frames)), lambda _: _standing(1), settings, model)
    animator.animate(AnimateRequest((reference,), driving, tmp_path / "out.mp4"))
    for hook in hooks:
        hook.remove()
    drawn_TCHW = seen["pose"][0].numpy().transpose(1, 0, 2, 3) * 255
    np.testing.assert_allclose(drawn_TCHW, control_maps(_expected(transfer), (SIDE, SIDE)), atol=1e-3)
    boxes_px = _standing(FRAMES).face_boxes_px
    shown = read_frames(driving) if "face" in transfer else np.tile((190 - ramp)[None], (FRAMES, 1, 1, 1))
    crops_TCHW = crop_faces(shown, boxes_px, 224).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(seen["face"].numpy() * 255, crops_TCHW, atol=1e-3)


def test_every_part_shows_in_the_maps() -> None:
    """Else the test above would see nothing."""
    everything = control_maps(_expected(PARTS), (SIDE, SIDE)).astype(float)
    for part in ("head", "body", "hands"):
        without = control_maps(_expected(tuple(other for other in PARTS if other != part)), (SIDE, SIDE))
        assert np.abs(everything - without).max() > 100, part
