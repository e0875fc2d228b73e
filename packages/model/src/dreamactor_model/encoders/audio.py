"""The audio encoder: speech features -> the face motion tokens that E_f and its MLP make of video (paper 3.2, 4.2).

Beside the tokens, which move the face inside the model, it says the face units that speech is made with: they move
whatever shows a face by its shape (landmarks, mesh, the warped reference).

It hears both ways, for recordings are complete: the frame itself, its features' own context, and the layers' reach
before and after it (`AudioConfig.context`). Convolutions without padding, so a long recording costs no more a frame
than a short one, and a frame's token depends on nothing further away.

One style token may say how the face is held while it speaks: a face motion token too, the mean over some frames of a
person, so that whatever E_f can read (a photograph, a driving video) can be a style. It is dropped at random in
training; without one, the encoder speaks in no particular mood.

Legend: B batch, T video frames, K context frames, M speech features, C width of a token, D width of the layers, U face
units.
"""

from fractions import Fraction
from typing import NamedTuple

import torch
from dreamactor_core.face_units import ARKIT_UNITS
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.linear import Linear
from dreamactor_model.presets import AudioConfig

AUDIO_FPS = Fraction(25)
"""Frames a second that the encoder works at, whatever the video's rate: what it hears is measured in time."""


class SpokenFace(NamedTuple):
    """What a face does that speaks: tokens (..., T, C) and face units (..., T, U)."""

    tokens: Tensor
    units: Tensor


class _Layer(nn.Module):
    """One dilated convolution over time, then a mix of channels; K = dilation frames are used up at either end."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.LayerNorm(width)
        self.listen = nn.Conv1d(width, width, 3, dilation=dilation)
        self.mix = Linear(width, width)

    def forward(self, x_BTD: Tensor) -> Tensor:
        heard = self.listen(self.norm(x_BTD).transpose(1, 2)).transpose(1, 2)
        return x_BTD[:, self.dilation : -self.dilation] + self.mix(F.silu(heard))


class AudioEncoder(nn.Module):
    """Speech features of a recording at 25 frames a second -> face tokens and units, one of each a frame."""

    feature_mean_M: Tensor
    feature_scale_M: Tensor
    rest_C: Tensor
    token_scale: Tensor

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        self.config = config
        self.inputs = Linear(config.feature_width, config.width)
        self.style = Linear(config.token_width, config.width)
        self.no_style_D = nn.Parameter(torch.zeros(config.width))
        self.layers = nn.ModuleList(_Layer(config.width, dilation) for dilation in config.dilations)
        self.norm = nn.LayerNorm(config.width)
        self.readout = Linear(config.width, config.token_width)
        self.lips = Linear(config.width, len(ARKIT_UNITS))
        # Before it has learned anything, a face at rest.
        for readout in (self.readout, self.lips):
            nn.init.zeros_(readout.weight)
            nn.init.zeros_(readout.bias)
        self.register_buffer("feature_mean_M", torch.zeros(config.feature_width))
        self.register_buffer("feature_scale_M", torch.ones(config.feature_width))
        self.register_buffer("rest_C", torch.zeros(config.token_width))
        self.register_buffer("token_scale", torch.ones(()))

    def set_statistics(self, features_NM: Tensor, tokens_NC: Tensor, rest_C: Tensor) -> None:
        """Take over what training data look like: their mean and spread, and the token of a face at rest."""
        self.feature_mean_M.copy_(features_NM.mean(dim=0))
        self.feature_scale_M.copy_(features_NM.std(dim=0).clamp_min(1e-3))
        self.rest_C.copy_(rest_C)
        self.token_scale.copy_(tokens_NC.std(dim=0).square().mean().sqrt())

    def forward(self, features_BTM: Tensor, style_BC: Tensor, has_style_B: Tensor) -> SpokenFace:
        """Tokens (B, T, C) and units (B, T, U) of features with their context.


        Args:
            features_BTM: (B, K + T + K, M), K = `config.context`.
            style_BC: face motion tokens; what stands where `has_style_B` is false is not looked at.
            has_style_B: bool.
        """
        told_BD = self.style((style_BC - self.rest_C) / self.token_scale)
        style_BD = torch.where(has_style_B[:, None], told_BD, self.no_style_D)
        x_BTD = self.inputs((features_BTM - self.feature_mean_M) / self.feature_scale_M) + style_BD[:, None]
        for layer in self.layers:
            x_BTD = layer(x_BTD)
        x_BTD = self.norm(x_BTD)
        return SpokenFace(self.rest_C + self.token_scale * self.readout(x_BTD), self.lips(x_BTD))

    @torch.inference_mode()
    def speak(self, features_TM: Tensor, style_C: Tensor | None = None) -> SpokenFace:
        """Tokens (T, C) and units (T, U) in [0, 1] of a whole recording's features (T, M).

        Its first and last frame go on beyond its ends.
        """
        context = self.config.context
        framed = torch.cat([features_TM[:1].expand(context, -1), features_TM, features_TM[-1:].expand(context, -1)])
        style = self.rest_C if style_C is None else style_C
        has_style_B = torch.tensor([style_C is not None], device=features_TM.device)
        tokens_BTC, units_BTU = self(framed[None], style[None], has_style_B)
        return SpokenFace(tokens_BTC[0], units_BTU[0].clamp(0, 1))
