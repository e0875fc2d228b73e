"""The objective by hand-computed numbers, and where the loss counts."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.training import ConditionWarmUpSettings, DiffusionStageSettings, ObjectiveSettings
from dreamactor_model.training.diffusion.loss_weights import loss_weights
from dreamactor_model.training.diffusion.objective import draw_timesteps, flow_loss, loss_by_noise, make_flow_sample
from dreamactor_model.training.diffusion.warm_up import shown_conditions
from dreamactor_model.training.pixel_losses import edge_loss
from dreamactor_model.training.run.schedule import learning_rate_share
from pydantic import ValidationError


def _sample(carried: bool):
    clean = torch.full((1, 1, 2, 1, 1), 3.0)
    noise = torch.full((1, 1, 2, 1, 1), -1.0)
    return make_flow_sample(clean, noise, torch.tensor([0.25]), torch.tensor([carried]))


def test_noisy_latents_lie_on_the_line_between_latents_and_noise():
    sample = _sample(carried=False)
    # 0.75 * 3 + 0.25 * -1
    assert sample.noisy_BCFHW.flatten().tolist() == [2.0, 2.0]
    assert sample.velocity_BCFHW.flatten().tolist() == [-4.0, -4.0]
    assert sample.timesteps_BF.tolist() == [[0.25, 0.25]]


def test_a_carried_frame_is_clean_and_at_time_zero():
    sample = _sample(carried=True)
    assert sample.noisy_BCFHW.flatten().tolist() == [3.0, 2.0]
    assert sample.timesteps_BF.tolist() == [[0.0, 0.25]]


def test_clean_frames_do_not_count():
    weights = torch.ones(1, 2, 1, 1)
    wrong_on_first = torch.tensor([100.0, -4.0]).view(1, 1, 2, 1, 1)
    assert flow_loss(wrong_on_first, _sample(carried=True), weights).item() == 0.0
    assert flow_loss(wrong_on_first, _sample(carried=False), weights).item() == pytest.approx(104.0**2 / 2)


def test_clean_frames_give_no_gradient():
    predicted = torch.zeros(1, 1, 2, 1, 1, requires_grad=True)
    flow_loss(predicted, _sample(carried=True), torch.ones(1, 2, 1, 1)).backward()
    assert predicted.grad is not None
    assert predicted.grad.flatten()[0] == 0.0
    # d/dv (v + 4)^2 at v = 0
    assert predicted.grad.flatten()[1] == pytest.approx(8.0)


def test_losses_are_told_apart_by_noise_level():
    clean, noise, levels = torch.zeros(3, 1, 1, 1, 1), torch.zeros(3, 1, 1, 1, 1), torch.tensor([0.1, 0.2, 0.9])
    sample = make_flow_sample(clean, noise, levels, torch.tensor([False] * 3))
    predicted = torch.tensor([1.0, 3.0, 2.0]).view(3, 1, 1, 1, 1)
    losses = loss_by_noise(predicted, sample, torch.ones(3, 1, 1, 1), levels)
    # Sum and number of clips: (1 + 9, 2) below a quarter, (4, 1) above three.
    assert [losses[f"loss_noise_{part}"].tolist() for part in range(4)] == [[10, 2], [0, 0], [0, 0], [4, 1]]


def test_the_stronger_a_condition_the_less_it_is_shown_while_the_base_warms_up():
    draw = SimpleNamespace(drop_reference=False, drop_motion=False)
    warm_up = ConditionWarmUpSettings(steps=10, reference=0.9, face=0.6, pose=0.3)

    def shares(step: int) -> dict[str, float]:
        shown = shown_conditions([draw] * 4000, warm_up, step, np.random.default_rng(step))
        return {name: float(mask.float().mean()) for name, mask in shown.items()}

    assert shares(9) == pytest.approx({"keep_references_B": 0.9, "keep_pose_B": 0.3, "keep_face_B": 0.6}, abs=0.03)
    assert shares(10) == {"keep_references_B": 1.0, "keep_pose_B": 1.0, "keep_face_B": 1.0}
    dropped = SimpleNamespace(drop_reference=True, drop_motion=True)
    assert not any(mask.any() for mask in shown_conditions([dropped], warm_up, 10, np.random.default_rng(0)).values())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"warm_up": {"pose": 0.9, "face": 0.5}}, "stronger"),
        ({"warm_up": {"steps": 11}}, "more than steps"),
        ({"train": ("face",), "conditions": ("reference", "pose")}, "nothing would learn"),
        ({"conditions": ("pose", "pose")}, "once"),
        ({"train": ("base", "base")}, "once"),
    ],
)
def test_a_stage_that_makes_no_sense_is_refused(change: dict[str, object], problem: str):
    with pytest.raises(ValidationError, match=problem):
        DiffusionStageSettings.model_validate({"steps": 10, **change})


def test_weights_shift_the_mean():
    weights = torch.tensor([1.0, 3.0]).view(1, 2, 1, 1)
    predicted = torch.tensor([-4.0, -2.0]).view(1, 1, 2, 1, 1)
    # errors 0 and 4, weighted 1 and 3
    assert flow_loss(predicted, _sample(carried=False), weights).item() == pytest.approx(3.0)


def test_the_shift_moves_the_median_timestep():
    settings = ObjectiveSettings(timestep_shift=3.0)
    timesteps = draw_timesteps(20_000, settings, torch.Generator().manual_seed(0))
    assert timesteps.min() > 0
    assert timesteps.max() < 1
    # The median of the logit-normal is 1/2; shifted: 3/2 / (1 + 1)
    assert timesteps.median().item() == pytest.approx(0.75, abs=0.01)


def test_faces_and_hands_weigh_more_and_their_frames_are_merged(person: MotionTrack):
    settings = ObjectiveSettings(face_weight=2.0, hand_weight=0.0)
    weights = loss_weights(person, 8, settings)
    assert weights.shape == (8, 8, 8)
    x0, y0, x1, y1 = person.face_boxes_px[0] / 8
    assert weights[0, int((y0 + y1) / 2), int((x0 + x1) / 2)] == 3.0
    assert weights[0, 7, 7] == 1.0
    for latent in range(1, 8):
        frames = range(4 * latent - 3, 4 * latent + 1)
        columns = [int(person.face_boxes_px[frame, [0, 2]].mean() / 8) for frame in frames]
        row = int(person.face_boxes_px[4 * latent, [1, 3]].mean() / 8)
        assert all(weights[latent, row, column] == 3.0 for column in columns)


def test_a_body_weighs_more_by_the_joints_that_are_known(person: MotionTrack):
    settings = ObjectiveSettings(face_weight=0, hand_weight=0, body_weight=1.0)
    confidence = person.joint_confidence.copy()
    # The legs.
    confidence[:, 8:18] = 0
    half = replace(person, joint_confidence=confidence)
    known_px = half.project(half.joints_cam_m[:1, :8])[0]
    rows = np.clip([np.floor(known_px[:, 1].min() / 8), np.ceil(known_px[:, 1].max() / 8)], 0, 8).astype(int)
    weighted = np.flatnonzero((loss_weights(half, 8, settings)[0] == 2).any(axis=1))
    assert weighted.tolist() == list(range(*rows))
    assert loss_weights(person, 8, settings).sum() > loss_weights(half, 8, settings).sum()


def test_boxes_outside_the_frame_and_missing_faces_weigh_nothing(person: MotionTrack):
    away = replace(person, face_boxes_px=person.face_boxes_px + 1000)
    hidden = replace(person, face_confidence=np.zeros(len(person)), joint_confidence=np.zeros((len(person), 58)))
    assert (loss_weights(away, 8, ObjectiveSettings(hand_weight=0)) == 1).all()
    assert (loss_weights(hidden, 8, ObjectiveSettings()) == 1).all()


def test_learning_rate_rises_then_falls_to_its_final_share():
    row = DiffusionStageSettings(steps=110, warmup_steps=10, final_learning_rate=0.1)
    shares = [learning_rate_share(step, row) for step in range(111)]
    assert shares[:10] == pytest.approx([(step + 1) / 11 for step in range(10)])
    assert shares[10] == 1.0
    assert shares[60] == pytest.approx(0.55)
    assert shares[110] == pytest.approx(0.1)


def test_edges_see_blur_but_not_tone():
    video = torch.zeros(1, 3, 1, 4, 4)
    assert edge_loss(video + 0.5, video).item() == 0.0
    dot = video.clone()
    dot[..., 1, 1] = 1.0
    # Of 12 differences along each axis, 2 are of size 1.
    assert edge_loss(dot, video).item() == pytest.approx(2 / 12)
