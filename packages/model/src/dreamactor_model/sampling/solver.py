"""Solving the flow from noise to latents for one segment (paper 3.1: flow matching).

Legend: B batch, F latent frames, C channels, H W latent rows and columns.
"""

from collections.abc import Callable

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from dreamactor_core.settings.sampling import SamplingSettings
from torch import Tensor

from dreamactor_model.actor import DreamActor
from dreamactor_model.conditions import Conditions
from dreamactor_model.guidance import GuidanceScales, guided_velocity


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
    scales = GuidanceScales(settings.guidance_reference, settings.guidance_motion)
    scheduler = make_scheduler(settings.steps, settings.shift)
    clean_BF = noise_BCFHW.new_zeros(len(noise_BCFHW), carried_BCFHW.shape[2])
    made_BCFHW = noise_BCFHW
    for step, time in enumerate(scheduler.timesteps):
        noisy_BF = noise_BCFHW.new_full(noise_BCFHW.shape[:3:2], float(scheduler.sigmas[step]))
        timesteps_BF = torch.cat([clean_BF, noisy_BF], dim=1)
        latents = torch.cat([carried_BCFHW, made_BCFHW], dim=2)
        velocity = guided_velocity(actor, latents, timesteps_BF, conditions, scales)
        made_BCFHW = scheduler.step(velocity[:, :, carried_BCFHW.shape[2] :], time, made_BCFHW).prev_sample
        on_step()
    return torch.cat([carried_BCFHW, made_BCFHW], dim=2)


def make_scheduler(steps: int, shift: float) -> FlowMatchEulerDiscreteScheduler:
    """Euler steps from noise level 1 to 0; a shift above 1 spends more of them near noise."""
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 1.0 / steps, steps).tolist())
    return scheduler
