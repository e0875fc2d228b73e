"""Step caching: blocks rest while their input has hardly moved, and run again as soon as it has."""

import dataclasses

import pytest
import torch
from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.dit.step_cache import StepCache
from micro_model import MICRO_ACTOR, awake_actor
from torch import Tensor


@pytest.fixture(scope="module")
def actor() -> DreamActor:
    return awake_actor(dataclasses.replace(MICRO_ACTOR, layers=2))


TIMES = torch.full((1, 2), 0.7)
LATENTS = torch.randn(1, 4, 2, 4, 4, generator=torch.Generator().manual_seed(5))


def _denoise(actor: DreamActor, states: list[Tensor], cache: StepCache | None) -> tuple[list[Tensor], list[int]]:
    """Velocities of the states, and the steps at which the blocks ran."""
    generator = torch.Generator().manual_seed(6)
    pose = torch.randn(1, 3, 2, 4, 4, generator=generator)
    constants = actor.prepare(Conditions(torch.randn(1, 1, 4, 4, 4, generator=generator), pose, None))
    made: list[Tensor] = []
    ran: list[int] = []
    hook = actor.dit.blocks[1].register_forward_hook(lambda *_: ran.append(len(made)))
    made.extend(actor.denoise(state, TIMES, constants, cache) for state in states)
    hook.remove()
    return made, ran


@torch.no_grad()
def test_no_drift_is_small_enough_for_no_threshold(actor: DreamActor) -> None:
    states = [LATENTS * (1 + 0.01 * step) for step in range(3)]
    made, ran = _denoise(actor, states, StepCache(1e-9))
    exact, _ = _denoise(actor, states, None)
    assert ran == [0, 1, 2]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(made, exact, strict=True))


@torch.no_grad()
def test_equal_input_is_answered_from_memory_exactly(actor: DreamActor) -> None:
    (first, second), ran = _denoise(actor, [LATENTS, LATENTS], StepCache(1e-9))
    assert ran == [0]
    torch.testing.assert_close(second, first, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_drift_adds_up_until_the_blocks_run_again(actor: DreamActor) -> None:
    """Every step moves the input by about the same share: one alone stays below the threshold, three do not."""
    noise = torch.randn(6, *LATENTS.shape, generator=torch.Generator().manual_seed(7))
    states = [LATENTS + 0.02 * noise[: step + 1].sum(dim=0) for step in range(6)]
    watched = _Watched(1e9)
    _denoise(actor, states, watched)
    assert len(watched.drifts) == 5
    threshold = float(torch.tensor(watched.drifts).mean()) * 2.5
    made, ran = _denoise(actor, states, StepCache(threshold))
    assert ran == [0, 3]
    exact, _ = _denoise(actor, states, None)
    errors = [float((ours - theirs).abs().max()) for ours, theirs in zip(made, exact, strict=True)]
    assert errors[0] == 0
    assert min(errors[1], errors[2]) > 0
    assert errors[3] == 0


class _Watched(StepCache):
    """Keeps the change of each step."""

    def __init__(self, threshold: float) -> None:
        super().__init__(threshold)
        self.drifts: list[float] = []

    def through(self, *arguments: object) -> Tensor:  # type: ignore[override]
        before = self._drift
        result = super().through(*arguments)  # type: ignore[arg-type]
        if self._drift:
            self.drifts.append(self._drift - before)
        return result
