"""How the tiny VAE begins, so that minutes of training give colours and edges, and hold over any number of frames.

While it learns, its convolutions leave out the past, and its first and last one are seen through fixed linear maps
(`nn.utils.parametrize`); `finish` multiplies these into the weights, and a plain AutoencoderKLWan is left.

Legend: B batch, C channels, T video frames, K frames of a kernel, O output channels, H W rows and columns,
P values of a folded patch, N samples.
"""

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import WanResample, patchify
from torch import Tensor, nn
from torch.nn.utils import parametrize

from dreamactor_model.convolution import conv_stacked
from dreamactor_model.vae import CausalConv3d, VideoVAE

# Halfway between pixels as they are (0) and all directions of a patch alike (1).
_WHITENING = 0.5
# Directions in which patches hardly vary are not blown up beyond this share of the strongest.
_SMALLEST_VARIANCE_SHARE = 1e-5
# The posterior starts nearly without noise: the first means are so small that noise of size 1 would drown them.
_FIRST_LOG_VARIANCE = -6.0


def prepare(vae: VideoVAE, images_BCTHW: Tensor) -> None:
    """Give the network its start.

    Args:
        images_BCTHW: samples of what it will see, in [-1, 1]; they say in which directions patches vary.
    """
    see_the_present_only(vae)
    repeat_through_time(vae)
    quiet_posterior(vae)
    whiten_ends(vae, images_BCTHW)


def finish(vae: VideoVAE) -> None:
    """Leave plain weights: what the kernels looked like through their maps."""
    for module in vae.modules():
        if parametrize.is_parametrized(module):
            for name in list(module.parametrizations):
                parametrize.remove_parametrizations(module, name, leave_parametrized=True)
        if isinstance(module, _PresentConv3d):
            module.__class__ = CausalConv3d


@torch.no_grad()
def see_the_present_only(vae: VideoVAE) -> None:
    """Kernels of three frames learn nothing but the last: only the resampling convolutions mix time.

    What images teach then serves every frame of a clip, and no clip is long enough to show the network a past it has
    never met: trained on 9 frames, the reconstruction of frame 33 is as good as that of frame 9 (else 5 dB worse).
    """
    for module in vae.autoencoder.modules():
        if isinstance(module, CausalConv3d) and module.kernel_size == (3, 3, 3):
            module.weight[:, :, :-1].zero_()
            # A third of the inputs is left: the rest makes up for their variance.
            module.weight[:, :, -1].mul_(3**0.5)
            # The class alone changes: what is zero stays zero, and is not computed.
            module.__class__ = _PresentConv3d


@torch.no_grad()
def repeat_through_time(vae: VideoVAE) -> None:
    """Resampling in time starts as taking the last of two frames, and as showing a frame twice."""
    for module in vae.autoencoder.modules():
        if isinstance(module, WanResample) and hasattr(module, "time_conv"):
            weight_OCK11, channels = module.time_conv.weight, module.time_conv.in_channels
            weight_OCK11.zero_()
            module.time_conv.bias.zero_()
            copies = weight_OCK11.shape[0] // channels
            weight_OCK11[:, :, -1, 0, 0] = torch.eye(channels).repeat(copies, 1)


@torch.no_grad()
def quiet_posterior(vae: VideoVAE) -> None:
    """Start with a posterior of little noise."""
    last = vae.autoencoder.quant_conv
    variances = slice(last.weight.shape[0] // 2, None)
    last.weight[variances].zero_()
    last.bias[variances].fill_(_FIRST_LOG_VARIANCE)


def whiten_ends(vae: VideoVAE, images_BCTHW: Tensor) -> None:
    """Let the first convolution read, and the last one write, patches in which every direction varies more alike.

    A network learns first what varies most. In pixels that is brightness, by far: colours and edges would come hours
    later.
    """
    whiten_PP, restore_PP = _whitening(_patches(vae, images_BCTHW))
    first, last = vae.autoencoder.encoder.conv_in, vae.autoencoder.decoder.conv_out
    parametrize.register_parametrization(first, "weight", _Reads(whiten_PP))
    parametrize.register_parametrization(last, "weight", _Writes(restore_PP))
    parametrize.register_parametrization(last, "bias", _Writes(restore_PP))


def _patches(vae: VideoVAE, images_BCTHW: Tensor) -> Tensor:
    folded = patchify(images_BCTHW, vae.config.patch_size) if vae.config.patch_size else images_BCTHW
    patches_PN: Tensor = folded.transpose(0, 1).flatten(1)
    return patches_PN


def _whitening(patches_PN: Tensor) -> tuple[Tensor, Tensor]:
    """The map to whitened patches and the one back; the mean stays, so that padding with zeros stays padding."""
    moments_PP = (patches_PN.double() @ patches_PN.double().T) / patches_PN.shape[1]
    variance_P, directions_PP = torch.linalg.eigh(moments_PP)
    variance_P = variance_P.clamp_min(variance_P.max() * _SMALLEST_VARIANCE_SHARE)
    # The mean size of a patch stays what it was.
    scale_P = (variance_P / variance_P.mean()) ** (_WHITENING / 2)
    whiten_PP = directions_PP.T / scale_P[:, None]
    restore_PP = directions_PP * scale_P
    return whiten_PP.float(), restore_PP.float()


class _PresentConv3d(CausalConv3d):
    """A convolution whose kernel is zero but for its last frame, computed frame by frame."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:  # noqa: A002 - PyTorch's name
        present = input[:, :, weight.shape[2] - 1 :]
        return conv_stacked(present, weight[:, :, -1:], bias, self.stride, self.padding)


class _Reads(nn.Module):
    """A kernel over mapped inputs."""

    def __init__(self, inputs_PP: Tensor) -> None:
        super().__init__()
        self.register_buffer("inputs_PP", inputs_PP, persistent=False)

    def forward(self, weight_OPKHW: Tensor) -> Tensor:
        return torch.einsum("oikhw,ip->opkhw", weight_OPKHW, self.inputs_PP)


class _Writes(nn.Module):
    """A kernel, or a bias, whose outputs are mapped."""

    def __init__(self, outputs_PP: Tensor) -> None:
        super().__init__()
        self.register_buffer("outputs_PP", outputs_PP, persistent=False)

    def forward(self, weight_P: Tensor) -> Tensor:
        return torch.einsum("po,o...->p...", self.outputs_PP, weight_P)
