"""Losses of pictures that the stages share which learn from pixels (vae, refiner).

Legend: B batch, C channels, T video frames, H W rows and columns, N pictures.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from dreamactor_model.evaluation.metrics.frames.perceptual import PerceptualDistance

# Brightness, and two differences of colour. These vary some four times less, and a network learns first what varies
# most: unweighted, minutes of training end in grey.
_COLOUR_WEIGHT = 4.0
_OPPONENT_COLOURS = ((1 / 3, 1 / 3, 1 / 3), (0.5, -0.5, 0.0), (0.25, 0.25, -0.5))
# Pixels a side of the areas whose mean tone is compared: those of one latent.
_TONE_PX = 8


class PerceptualTerm:
    """LPIPS as a term of a loss; no module of whoever holds it, so that its weights are nobody's to learn or to save.

    Args:
        weight: in the loss; 0 needs no network, and the term is not there.
    """

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self._network = PerceptualDistance.load() if weight else None

    def add(
        self, parts: dict[str, Tensor], loss: Tensor, made_NCHW: Tensor, truth_NCHW: Tensor, *, name: str = "lpips"
    ) -> Tensor:
        """The loss with the term, which is noted in `parts` by its name."""
        if self._network is None:
            return loss
        parts[name] = self._network.to(truth_NCHW.device)(made_NCHW, truth_NCHW).mean()
        return loss + self._weight * parts[name]


def to_model_range(frames_BTHWC: Tensor) -> Tensor:
    """uint8 frames (B, T, H, W, 3) -> (B, 3, T, H, W) in [-1, 1]."""
    return frames_BTHWC.permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def as_frames(video_BCTHW: Tensor) -> Tensor:
    """(B, C, T, H, W) -> pictures (B T, C, H, W)."""
    return video_BCTHW.transpose(1, 2).flatten(0, 1)


def edge_loss(made: Tensor, truth: Tensor) -> Tensor:
    """Mean L1 between horizontal and vertical pixel differences (..., H, W).

    A blurred edge costs, a shifted tone does not.
    """
    difference = made - truth
    return (difference.diff(dim=-1).abs().mean() + difference.diff(dim=-2).abs().mean()) / 2


def opponent_colours() -> Tensor:
    """(3, 3) from RGB to brightness and two weighted differences of colour."""
    return torch.tensor(_OPPONENT_COLOURS) * torch.tensor([[1.0], [_COLOUR_WEIGHT], [_COLOUR_WEIGHT]])


def tone_loss(difference_BCTHW: Tensor) -> Tensor:
    """Mean L1 between the mean tones of small areas: what a latent must say first."""
    return F.avg_pool3d(difference_BCTHW, (1, _TONE_PX, _TONE_PX)).abs().mean()
