"""Solving the flow from noise to latents for one segment (paper 3.1: flow matching).

Legend: B batch, F latent frames, C channels, H W latent rows and columns.
"""

from collections.abc import Callable

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler
from dreamactor_core.settings.sampling import SamplingSettings
from torch import Tensor

from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.guidance import GuidedVelocity

_STEPS = 20


@torch.no_grad()
def solve(
    actor: DreamActor,
    noise_BCFHW: Tensor,
    carried_BCFHW: Tensor,
    conditions: Conditions,
    settings: SamplingSettings,
    on_step: Callable[[], None],
) -> Tensor:
    """Latents of one segment, (B, C, F, H, W): the carried ones, unchanged, then those made from the noise.

    Args:
        noise_BCFHW: start of the frames to make.
        carried_BCFHW: clean frames before them; none (F = 0) for a first segment.
        conditions: of all frames, the carried ones too.
        on_step: called after each solver step.
    """
    guided_velocity = GuidedVelocity(actor, conditions, settings)
    carried_count = carried_BCFHW.shape[2]
    clean_BF = noise_BCFHW.new_zeros(len(noise_BCFHW), carried_count)

    def velocity(made_BCFHW: Tensor, noise_level: float) -> Tensor:
        noisy_BF = noise_BCFHW.new_full(noise_BCFHW.shape[:3:2], noise_level)
        timesteps_BF = torch.cat([clean_BF, noisy_BF], dim=1)
        latents_BCFHW = torch.cat([carried_BCFHW, made_BCFHW], dim=2)
        result = guided_velocity(latents_BCFHW, timesteps_BF, noise_level)[:, :, carried_count:]
        on_step()
        return result

    # The solver sees the made frames alone: whatever it remembers of earlier steps, the carried ones stay as they are.
    return torch.cat([carried_BCFHW, integrate(velocity, noise_BCFHW, settings)], dim=2)


def integrate(velocity: Callable[[Tensor, float], Tensor], noise: Tensor, settings: SamplingSettings) -> Tensor:
    """Follow a velocity, a function of state and noise level, from noise level 1 to 0."""
    scheduler = make_scheduler(settings)
    state = noise
    for noise_level, time in zip(scheduler.sigmas.tolist(), scheduler.timesteps, strict=False):
        state = scheduler.step(velocity(state, noise_level), time, state).prev_sample
    return state


def chosen_steps(settings: SamplingSettings) -> int:
    """As the settings say; where neither they nor the weights say a number, enough for any model."""
    return _STEPS if settings.steps is None else settings.steps


def make_scheduler(settings: SamplingSettings) -> FlowMatchEulerDiscreteScheduler | UniPCMultistepScheduler:
    """The solver's steps from noise level 1 to 0; a shift above 1 spends more of them near noise."""
    # The last step is of first order whatever the solver, and a shift makes it the longest: it gets half a share.
    steps = chosen_steps(settings)
    levels = np.linspace(1.0, 0.5 / steps, steps)
    if settings.solver == "unipc":
        scheduler = UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=settings.shift
        )
    else:
        scheduler = FlowMatchEulerDiscreteScheduler(shift=settings.shift)
    scheduler.set_timesteps(sigmas=levels)
    # By count, not by time: diffusers rounds times to whole numbers, and many steps then share one.
    scheduler.set_begin_index(0)
    return scheduler
