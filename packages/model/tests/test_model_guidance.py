"""Nested dual guidance: the batched call equals separate ones, and costs no evaluation that does not count."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from dreamactor_core.errors import SettingsError
from dreamactor_core.settings import load_settings
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.guidance import GuidanceScales, GuidedVelocity
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


def _guided(
    actor: DreamActor, conditions: Conditions, scales: tuple[float, float], **settings: object
) -> GuidedVelocity:
    chosen = {"guidance_reference": scales[0], "guidance_motion": scales[1], **settings}
    return GuidedVelocity(actor, conditions, SamplingSettings.model_validate(chosen))


def _plain(actor: DreamActor, conditions: Conditions, latents: Tensor = LATENTS) -> Tensor:
    return actor(latents, TIMES, conditions.references_BRCHW, conditions.pose_BCFHW, conditions.face_BTC)


@pytest.mark.parametrize("scales", [(2.5, 2.0), (2.5, 2.5), (1.0, 1.0), (1.0, 3.0), (0.0, 0.0), (3.0, 0.0)])
@torch.no_grad()
def test_one_batched_call_equals_three(actor: DreamActor, conditions: Conditions, scales: tuple[float, float]) -> None:
    references, pose, face = conditions.references_BRCHW, conditions.pose_BCFHW, conditions.face_BTC
    no_face = torch.zeros_like(face)
    free = actor(LATENTS, TIMES, torch.zeros_like(references), None, no_face)
    still = actor(LATENTS, TIMES, references, None, no_face)
    driven = actor(LATENTS, TIMES, references, pose, face)
    expected = free + scales[0] * (still - free) + scales[1] * (driven - still)
    guided = _guided(actor, conditions, scales)(LATENTS, TIMES, 0.7)
    assert (guided - expected).abs().max() < 1e-6 * expected.abs().max()
    assert not torch.allclose(free, still)
    assert not torch.allclose(still, driven)


@contextmanager
def _evaluations(actor: DreamActor) -> Iterator[list[int]]:
    """How many evaluations of the batch of two each call of the model stands for."""
    counts: list[int] = []
    hook = actor.dit.register_forward_pre_hook(lambda _, arguments: counts.append(len(arguments[0]) // 2))
    yield counts
    hook.remove()


@pytest.mark.parametrize(
    ("scales", "evaluations"), [((1.0, 1.0), 1), ((2.5, 2.5), 2), ((1.0, 2.0), 2), ((2.5, 2.0), 3), ((1.0, 0.0), 1)]
)
@torch.no_grad()
def test_terms_without_weight_cost_nothing(
    actor: DreamActor, conditions: Conditions, scales: tuple[float, float], evaluations: int
) -> None:
    with _evaluations(actor) as counts:
        _guided(actor, conditions, scales)(LATENTS, TIMES, 0.7)
    assert counts == [evaluations]


@torch.no_grad()
def test_scales_of_one_are_the_plain_velocity(actor: DreamActor, conditions: Conditions) -> None:
    assert torch.equal(_guided(actor, conditions, (1.0, 1.0))(LATENTS, TIMES, 0.7), _plain(actor, conditions))


@torch.no_grad()
def test_outside_its_interval_guidance_costs_nothing(actor: DreamActor, conditions: Conditions) -> None:
    guided = _guided(actor, conditions, (2.5, 2.0), guidance_interval=(0.3, 0.8))
    with _evaluations(actor) as counts:
        below, inside, edge, above = (guided(LATENTS, TIMES, level) for level in (0.29, 0.7, 0.3, 0.81))
    assert counts == [1, 3, 3, 1]
    plain = _plain(actor, conditions)
    assert torch.equal(below, plain)
    assert torch.equal(above, plain)
    assert torch.equal(inside, edge)
    assert not torch.allclose(inside, plain)


@torch.no_grad()
def test_all_terms_are_prepared_once_a_segment(
    actor: DreamActor, conditions: Conditions, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    prepare = actor.prepare

    def counted(given: Conditions) -> object:
        sizes.append(len(given.pose_BCFHW) // 2)
        return prepare(given)

    monkeypatch.setattr(actor, "prepare", counted)
    guided = _guided(actor, conditions, (2.5, 2.0), guidance_interval=(0.3, 1.0))
    for level in (1.0, 0.8, 0.5, 0.2, 0.1):
        guided(LATENTS, TIMES, level)
    assert sizes == [3, 1]


def test_an_interval_is_two_noise_levels_in_order() -> None:
    assert load_settings({"sampling.guidance_interval": [0.2, 0.9]}).sampling.guidance_interval == (0.2, 0.9)
    for wrong in ([0.9, 0.2], [0.0, 1.5], [0.1]):
        with pytest.raises(SettingsError, match="guidance_interval"):
            load_settings({"sampling.guidance_interval": wrong})


@pytest.mark.parametrize("scales", [(2.5, 2.0), (2.5, 0.0)])
@torch.no_grad()
def test_skipped_guidance_adds_its_last_difference(
    actor: DreamActor, conditions: Conditions, scales: tuple[float, float]
) -> None:
    """The term it is added to is the most conditioned one that the scales ask for."""
    exact = _guided(actor, conditions, scales)
    skipping = _guided(actor, conditions, scales, guidance_every=3)
    term = conditions if scales[1] else conditions.without_motion()
    states = [LATENTS * (1 + 0.1 * step) for step in range(4)]
    with _evaluations(actor) as counts:
        made = [skipping(state, TIMES, 0.7) for state in states]
    assert [count > 1 for count in counts] == [True, False, False, True]
    for step in (0, 3):
        assert torch.equal(made[step], exact(states[step], TIMES, 0.7))
    difference = made[0] - _plain(actor, term)
    torch.testing.assert_close(made[2], _plain(actor, term, states[2]) + difference, rtol=1e-4, atol=1e-5)


def test_dropping_by_clip_means_the_same_zeros_as_guidance(conditions: Conditions) -> None:
    kept = conditions.keep(
        references_B=torch.tensor([True, False]), pose_B=torch.tensor([False, True]), face_B=torch.tensor([False, True])
    )
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
    assert faceless.keep(references_B=masks, pose_B=masks, face_B=masks).face_BTC is None
    terms: list[Tensor | None] = [term.face_BTC for _, term in GuidanceScales(3.0, 2.0).terms(faceless)]
    assert terms == [None, None, None]
