"""Flow matching (design 5): x_t = (1 - t) x0 + t e, the model predicts the velocity e - x0.

Legend: B batch, C channels, F latent frames, R references, H W latent height and width.
"""

from dataclasses import dataclass

import torch
from dreamactor_core.settings.training import ObjectiveSettings
from torch import Tensor

NOISE_BINS = 4
"""Ranges of the noise level, equally wide, whose losses are told apart."""


@dataclass(frozen=True)
class FlowSample:
    """What the model is shown and what it should answer.

    Attributes:
        noisy_BCFHW: the latents at their timesteps.
        timesteps_BF: one timestep a latent frame in [0, 1]; 0 for carried frames.
        velocity_BCFHW: the target.
    """

    noisy_BCFHW: Tensor
    timesteps_BF: Tensor
    velocity_BCFHW: Tensor

    def of(self, clip: int) -> "FlowSample":
        """One clip of the batch."""
        one = slice(clip, clip + 1)
        return FlowSample(self.noisy_BCFHW[one], self.timesteps_BF[one], self.velocity_BCFHW[one])


def draw_timesteps(count: int, settings: ObjectiveSettings, generator: torch.Generator) -> Tensor:
    """Logit-normal timesteps (count,) in (0, 1), shifted towards noise: t' = s t / (1 + (s - 1) t)."""
    normal_B = torch.randn(count, generator=generator)
    t_B = torch.sigmoid(settings.timestep_mean + settings.timestep_deviation * normal_B)
    return settings.timestep_shift * t_B / (1 + (settings.timestep_shift - 1) * t_B)


def make_flow_sample(clean_BCFHW: Tensor, noise_BCFHW: Tensor, timestep_B: Tensor, carried_B: Tensor) -> FlowSample:
    """Mix latents and noise; where `carried_B` is true the first latent frame stays clean at t = 0.

    A carried frame is what the previous segment hands on at inference (paper 4.1).
    """
    timesteps_BF = timestep_B[:, None].repeat(1, clean_BCFHW.shape[2])
    timesteps_BF[:, 0] = torch.where(carried_B, 0.0, timestep_B)
    t_B1F11 = timesteps_BF[:, None, :, None, None]
    noisy_BCFHW = (1 - t_B1F11) * clean_BCFHW + t_B1F11 * noise_BCFHW
    return FlowSample(noisy_BCFHW, timesteps_BF, noise_BCFHW - clean_BCFHW)


def loss_by_noise(
    predicted_BCFHW: Tensor, sample: FlowSample, weights_BFHW: Tensor, timestep_B: Tensor
) -> dict[str, Tensor]:
    """The loss in four ranges of noise level, each as (sum over its clips, number of clips)."""
    losses_B = torch.stack(
        [
            flow_loss(predicted_BCFHW[clip : clip + 1], sample.of(clip), weights_BFHW[clip : clip + 1])
            for clip in range(len(timestep_B))
        ]
    )
    bin_B = (timestep_B * NOISE_BINS).long().clamp(max=NOISE_BINS - 1)
    inside_NB = (bin_B == torch.arange(NOISE_BINS, device=bin_B.device)[:, None]).float()
    sums_N, counts_N = inside_NB @ losses_B, inside_NB.sum(dim=1)
    return {f"loss_noise_{part}": torch.stack([sums_N[part], counts_N[part]]) for part in range(NOISE_BINS)}


def flow_loss(predicted_BCFHW: Tensor, sample: FlowSample, weights_BFHW: Tensor) -> Tensor:
    """Weighted mean squared error of the velocity over noisy frames; clean frames do not count.

    Args:
        weights_BFHW: 1 everywhere, more inside face and hand regions.
    """
    is_noisy_BF11 = (sample.timesteps_BF > 0)[:, :, None, None]
    weights_BFHW = weights_BFHW * is_noisy_BF11
    error_BFHW = (predicted_BCFHW - sample.velocity_BCFHW).square().mean(dim=1)
    return (error_BFHW * weights_BFHW).sum() / weights_BFHW.sum().clamp_min(1e-8)
