"""Which clip, window and references, in which order: a pure function of (seed, epoch, position)."""

from dreamactor_dataset.sampling.draw import LATENT_STRIDE, Draw
from dreamactor_dataset.sampling.sampler import WindowSampler

__all__ = ["LATENT_STRIDE", "Draw", "WindowSampler"]
