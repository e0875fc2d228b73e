"""The libraries that people take for these metrics, used straightforwardly.

The package lpips builds its trunk by torchvision, which has no build here; it is given a trunk of the same layers.
"""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import torch
from dreamactor_model.evaluation.metrics.frames.perceptual import PerceptualDistance
from scipy.linalg import sqrtm
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import nn


def skimage_ssim(made_THWC: np.ndarray, truth_THWC: np.ndarray) -> np.ndarray:
    """(T,) by scikit-image, its Gaussian variant."""
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    pairs = zip(made_THWC, truth_THWC, strict=True)
    return np.array([structural_similarity(made, truth, channel_axis=-1, **options) for made, truth in pairs])


def skimage_psnr(made_THWC: np.ndarray, truth_THWC: np.ndarray) -> np.ndarray:
    """(T,) dB by scikit-image."""
    pairs = zip(made_THWC, truth_THWC, strict=True)
    return np.array([peak_signal_noise_ratio(truth, made, data_range=255) for made, truth in pairs])


def scipy_frechet(first_NC: np.ndarray, second_MC: np.ndarray) -> float:
    """By scipy's matrix square root, as most programs do it."""
    covariances = np.cov(first_NC, rowvar=False), np.cov(second_MC, rowvar=False)
    root = sqrtm(covariances[0] @ covariances[1]).real
    apart = np.square(first_NC.mean(axis=0) - second_MC.mean(axis=0)).sum()
    return float(apart + np.trace(covariances[0] + covariances[1] - 2 * root))


class LpipsPackage:
    """lpips 0.1.4, one frame a call."""

    def __init__(self) -> None:
        _give_torchvision()
        import lpips

        self._network = lpips.LPIPS(net="alex", verbose=False).eval()
        ours = PerceptualDistance.load()
        theirs = [layer for layer in self._network.net.modules() if isinstance(layer, nn.Conv2d)]
        for layer, same in zip(theirs, ours.convolutions, strict=True):
            layer.load_state_dict(same.state_dict())

    @torch.no_grad()
    def __call__(self, made_THWC: np.ndarray, truth_THWC: np.ndarray) -> np.ndarray:
        """(T,) distances."""
        pairs = zip(_scaled(made_THWC), _scaled(truth_THWC), strict=True)
        return np.array([float(self._network(made[None], truth[None])) for made, truth in pairs])


def _scaled(frames_THWC: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frames_THWC).permute(0, 3, 1, 2).float() / 127.5 - 1


def _give_torchvision() -> None:
    torchvision, models = ModuleType("torchvision"), ModuleType("torchvision.models")
    torchvision.models = models  # type: ignore[attr-defined]
    models.alexnet = _alexnet  # type: ignore[attr-defined]
    sys.modules |= {"torchvision": torchvision, "torchvision.models": models}


def _alexnet(**_: object) -> SimpleNamespace:
    """Its convolutions, whose weights are put in afterwards."""
    layers: list[nn.Module] = []
    for index, (inputs, outputs, kernel, stride, padding) in enumerate(
        ((3, 64, 11, 4, 2), (64, 192, 5, 1, 2), (192, 384, 3, 1, 1), (384, 256, 3, 1, 1), (256, 256, 3, 1, 1))
    ):
        layers += [nn.Conv2d(inputs, outputs, kernel, stride, padding), nn.ReLU(inplace=True)]
        if index < 2:
            layers.append(nn.MaxPool2d(3, 2))
    return SimpleNamespace(features=nn.Sequential(*layers))
