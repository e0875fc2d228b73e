"""The velocity that a warped reference implies before anything is learned; the transformer learns what is left.

A network from nothing spends its first hours on painting what a warp already shows. Its output is therefore added to
the exact answer of a simple belief: the clean latents are those of the warp, but for normal errors of one size. With
x_t = (1 - t) x0 + t e and x0 = w + s n, the mean of e - x0 given x_t is closed. Without a warp w is 0 and s 1, which
are the statistics of normalised latents.

Legend: B batch, C channels, F latent frames, H W latent rows and columns.
"""

import torch
from torch import Tensor

WARP_ERROR = 0.4
"""How far latents of the warped reference are off, in standard deviations of latents: the root mean square."""


def expected_velocity(noisy_BCFHW: Tensor, timesteps_BF: Tensor, warp_BCFHW: Tensor) -> Tensor:
    """The mean of e - x0 (B, C, F, H, W), in single precision.

    Args:
        noisy_BCFHW: latents at their timesteps.
        timesteps_BF: in [0, 1], as for the transformer.
        warp_BCFHW: of the warped reference; frames of zeros have none.
    """
    noisy_BCFHW, warp_BCFHW = noisy_BCFHW.float(), warp_BCFHW.float()
    t_BF = timesteps_BF.float()
    is_shown_BF = (warp_BCFHW != 0).any(dim=4).any(dim=3).any(dim=1)
    variance_BF = torch.where(is_shown_BF, WARP_ERROR**2, 1.0)
    slope_BF = (t_BF - (1 - t_BF) * variance_BF) / (t_BF.square() + (1 - t_BF).square() * variance_BF)
    clean_share_B1F11, slope_B1F11 = (1 - t_BF)[:, None, :, None, None], slope_BF[:, None, :, None, None]
    return slope_B1F11 * (noisy_BCFHW - clean_share_B1F11 * warp_BCFHW) - warp_BCFHW
