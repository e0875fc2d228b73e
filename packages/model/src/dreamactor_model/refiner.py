"""`Refiner`: decoded frames get back what the VAE lost, out of the reference's own pixels.

A small VAE keeps where a person is and loses what only pixels tell: eyes, fingers, the weave of a cloth. The reference
has them, and moved to the frame's pose (`dreamactor_signals.warp`) it has them nearly where they belong. One network,
frame by frame, looks at both and decides for each pixel whom to believe, and what to mend of either. Not the paper's,
whose VAE is large and keeps them; the idea is that of decoders which look at their condition (Zhu et al. 2023,
"Designing a Better Asymmetric VQGAN for StableDiffusion").

Legend: B frames, C channels, H W rows and columns.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.presets import CONTROL_CHANNELS, RefinerConfig

# The first level works at half the resolution, on 2x2 pixels as channels: nothing is lost, three quarters are saved.
_FOLD = 2
_RGB = 3
_GROUPS = 8
# A newborn believes mostly what was decoded.
_BELIEF_IN_WARP = -1.0


class Refiner(nn.Module):
    """A U-Net over frames; newborn, it mixes some of the warped reference into what was decoded."""

    def __init__(self, config: RefinerConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.enter = nn.Conv2d((2 * _RGB + CONTROL_CHANNELS) * _FOLD**2, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 4, 2, 1) for fine, coarse in pairwise(widths))
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 3, padding=1) for fine, coarse in pairwise(widths))
        self.before = nn.ModuleList(_Residual(width) for width in widths)
        self.after = nn.ModuleList(_Residual(width) for width in widths)
        self.leave = nn.Conv2d(widths[0], (_RGB + 1) * _FOLD**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, decoded_BCHW: Tensor, warp_BCHW: Tensor, control_BCHW: Tensor) -> Tensor:
        """Frames (B, 3, H, W), about in [-1, 1].

        Args:
            decoded_BCHW: of the VAE, in [-1, 1]; H and W are multiples of `stride`.
            warp_BCHW: the reference moved to each frame's pose, in [-1, 1].
            control_BCHW: control maps (B, 6, H, W) in [0, 1].
        """
        difference_BCHW = warp_BCHW - decoded_BCHW
        shown_BCHW = torch.cat([decoded_BCHW, difference_BCHW, control_BCHW], dim=1).to(self.enter.weight.dtype)
        answer_BCHW = F.pixel_shuffle(self.leave(self._look(F.pixel_unshuffle(shown_BCHW, _FOLD))), _FOLD).float()
        belief_B1HW = torch.sigmoid(answer_BCHW[:, _RGB:] + _BELIEF_IN_WARP)
        return decoded_BCHW + belief_B1HW * difference_BCHW + answer_BCHW[:, :_RGB]

    @property
    def stride(self) -> int:
        """Pixels that a frame's sides must be multiples of."""
        return int(_FOLD * 2 ** len(self.down))

    def _look(self, folded_BCHW: Tensor) -> Tensor:
        x, finer = self.enter(folded_BCHW), []
        for before, down in zip(self.before, self.down, strict=False):
            finer.append(x := before(x))
            x = down(x)
        x = self.after[-1](self.before[-1](x))
        for up, after, skipped in reversed(list(zip(self.up, self.after, finer, strict=False))):
            x = after(skipped + up(F.interpolate(x, scale_factor=2, mode="nearest")))
        return x


class _Residual(nn.Module):
    """Two convolutions beside a shortcut; newborn, the shortcut alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_GROUPS, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        hidden = self.first(F.silu(self.norm(x_BCHW)))
        return x_BCHW + self.second(F.silu(hidden))
