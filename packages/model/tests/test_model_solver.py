"""Solvers against flows whose solution is known."""

import dataclasses

import pytest
import torch
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_model.conditions import Conditions
from dreamactor_model.sampling.solver import integrate, make_scheduler, solve
from micro_model import MICRO_ACTOR, awake_actor
from torch import Tensor

MEAN, SPREAD = 1.5, 0.4
NOISE = torch.linspace(-2, 2, 9, dtype=torch.float64).view(1, 1, 9, 1, 1)


def _normal_velocity(state: Tensor, noise_level: float) -> Tensor:
    """The exact velocity where the data are normal: its flow carries z to MEAN + SPREAD z."""
    clean = 1 - noise_level
    variance = clean**2 * SPREAD**2 + noise_level**2
    return -MEAN + (noise_level - clean * SPREAD**2) / variance * (state - clean * MEAN)


def _error(solver: str, steps: int, shift: float = 1.0) -> float:
    settings = SamplingSettings.model_validate({"solver": solver, "steps": steps, "shift": shift})
    return float((integrate(_normal_velocity, NOISE, settings) - (MEAN + SPREAD * NOISE)).abs().max())


@pytest.mark.parametrize(("steps", "share"), [(6, 0.75), (10, 0.4), (20, 0.35)])
def test_second_order_needs_fewer_steps(steps: int, share: float) -> None:
    assert _error("unipc", steps, shift=3.0) < share * _error("euler", steps, shift=3.0)


def test_orders_of_convergence() -> None:
    """Twice the steps: half the error by Euler, a quarter by UniPC where its last step, of first order, is short."""
    assert _error("euler", 40) / _error("euler", 80) == pytest.approx(2, rel=0.1)
    assert _error("unipc", 40) / _error("unipc", 80) > 3


@pytest.mark.parametrize("solver", ["euler", "unipc"])
def test_the_solver_walks_from_noise_to_data(solver: str) -> None:
    scheduler = make_scheduler(SamplingSettings.model_validate({"solver": solver, "steps": 4, "shift": 3.0}))
    sigmas = scheduler.sigmas
    levels = torch.tensor([1, 17 / 24, 10 / 24, 3 / 24, 0])
    torch.testing.assert_close(sigmas, 3 * levels / (1 + 2 * levels), rtol=0, atol=2e-6)
    assert len(scheduler.timesteps) == 4


@pytest.mark.parametrize("solver", ["euler", "unipc"])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_carried_latents_stay_as_they_are(solver: str, steps: int) -> None:
    """Bit for bit, and at timestep 0 at every step, whatever the solver remembers."""
    actor = awake_actor(dataclasses.replace(MICRO_ACTOR, layers=1))
    generator = torch.Generator().manual_seed(1)
    carried, noise = (torch.randn(1, 4, frames, 4, 4, generator=generator) for frames in (1, 2))
    conditions = Conditions(torch.randn(1, 1, 4, 4, 4), torch.zeros(1, 3, 3, 4, 4), None)
    seen: list[tuple[Tensor, Tensor]] = []
    hook = actor.dit.register_forward_pre_hook(lambda _, arguments: seen.append((arguments[0], arguments[1])))
    settings = SamplingSettings.model_validate({"solver": solver, "steps": steps})
    latents = solve(actor, noise, carried, conditions, settings, lambda: None)
    hook.remove()
    assert torch.equal(latents[:, :, :1], carried)
    assert torch.isfinite(latents).all()
    assert len(seen) == steps
    for given, timesteps_BF in seen:
        assert all(torch.equal(clip, carried[0, :, 0]) for clip in given[:, :, 0])
        assert not timesteps_BF[:, 0].any()
        assert timesteps_BF[:, 1:].all()
