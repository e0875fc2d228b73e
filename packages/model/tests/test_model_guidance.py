"""Nested dual guidance: the batched call equals separate ones, and costs no evaluation that does not count."""

import dataclasses

import pytest
import torch
from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.guidance import GuidanceScales, guided_velocity
from micro_model import MICRO_ACTOR, awake_actor
from torch import Tensor


@pytest.fixture(scope="module")
def actor() -> DreamActor:
    return awake_actor(dataclasses.replace(MICRO_ACTOR, latent_channels=16, pose_channels=16))


@pytest.fixture(scope="module")
def conditions() -> Conditions:
    return Conditions(torch.randn(2, 1, 16, 4, 4), torch.randn(2, 16, 2, 4, 4), torch.randn(2, 5, 8))


LATENTS = torch.randn(2, 16, 2, 4, 4, generator=torch.Generator().manual_seed(5))
TIMES = torch.tensor([[0.0, 0.7], [0.3, 0.3]])


@pytest.mark.parametrize("scales", [(2.5, 2.0), (2.5, 2.5), (1.0, 1.0), (1.0, 3.0), (0.0, 0.0), (3.0, 0.0)])
@torch.no_grad()
def test_one_batched_call_equals_three(actor: DreamActor, conditions: Conditions, scales: tuple[float, float]) -> None:
    references, pose, face = conditions.references_BRCHW, conditions.pose_BCFHW, conditions.face_BTC
    no_face = torch.zeros_like(face)
    free = actor(LATENTS, TIMES, torch.zeros_like(references), None, no_face)
    still = actor(LATENTS, TIMES, references, None, no_face)
    driven = actor(LATENTS, TIMES, references, pose, face)
    expected = free + scales[0] * (still - free) + scales[1] * (driven - still)
    guided = guided_velocity(actor, LATENTS, TIMES, conditions, GuidanceScales(*scales))
    torch.testing.assert_close(guided, expected, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(free, still)
    assert not torch.allclose(still, driven)


@pytest.mark.parametrize(
    ("scales", "evaluations"), [((1.0, 1.0), 1), ((2.5, 2.5), 2), ((1.0, 2.0), 2), ((2.5, 2.0), 3), ((1.0, 0.0), 1)]
)
@torch.no_grad()
def test_terms_without_weight_cost_nothing(
    actor: DreamActor, conditions: Conditions, scales: tuple[float, float], evaluations: int
) -> None:
    sizes: list[int] = []
    hook = actor.dit.register_forward_pre_hook(lambda _, arguments: sizes.append(len(arguments[0])))
    guided_velocity(actor, LATENTS, TIMES, conditions, GuidanceScales(*scales))
    hook.remove()
    assert sizes == [2 * evaluations]


@torch.no_grad()
def test_scales_of_one_are_the_plain_velocity(actor: DreamActor, conditions: Conditions) -> None:
    plain = actor(LATENTS, TIMES, conditions.references_BRCHW, conditions.pose_BCFHW, conditions.face_BTC)
    assert torch.equal(guided_velocity(actor, LATENTS, TIMES, conditions, GuidanceScales(1.0, 1.0)), plain)


def test_dropping_by_clip_means_the_same_zeros_as_guidance(conditions: Conditions) -> None:
    kept = conditions.keep(references_B=torch.tensor([True, False]), motion_B=torch.tensor([False, True]))
    assert torch.equal(kept.references_BRCHW[0], conditions.references_BRCHW[0])
    assert torch.equal(kept.pose_BCFHW[1], conditions.pose_BCFHW[1])
    still, unseen = conditions.without_motion(), conditions.without_reference()
    assert kept.face_BTC is not None
    assert still.face_BTC is not None
    for ours, theirs in [
        (kept.pose_BCFHW[0], still.pose_BCFHW[0]),
        (kept.face_BTC[0], still.face_BTC[0]),
        (kept.references_BRCHW[1], unseen.references_BRCHW[1]),
    ]:
        assert torch.equal(ours, theirs)
        assert not ours.any()


def test_no_face_stays_no_face(conditions: Conditions) -> None:
    faceless = dataclasses.replace(conditions, face_BTC=None)
    masks = torch.tensor([True, True])
    assert faceless.keep(references_B=masks, motion_B=masks).face_BTC is None
    terms: list[Tensor | None] = [term.face_BTC for _, term in GuidanceScales(3.0, 2.0).terms(faceless)]
    assert terms == [None, None, None]
