"""The Inception network of FID, out of the file in which its weights went round after TensorFlow (2015-12-05).

It differs from the usual Inception v3: means around a pixel leave the border out, the last block takes maxima instead,
and there are 1008 classes. A file in another layout would give another number, so the file is known by its sha256.

Legend: N frames, C channels, H W rows and columns.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from dreamactor_core.errors import WeightsError
from dreamactor_core.files import sha256_file
from dreamactor_core.settings.evaluation import EvaluationSettings
from torch import Tensor, nn
from torch.nn import functional as F

from dreamactor_model.evaluation.metrics.folded import folded_convolution, frozen
from dreamactor_model.evaluation.metrics.sets.features import pooled_features
from dreamactor_model.evaluation.remembered import Remembered

SIDE_PX, WIDTH = 299, 2048
PROTOCOL = (
    f"FID, {WIDTH} pooled features of the Inception of 2015-12-05 (weights of pytorch-fid), all frames of all clips in "
    f"one set, each scaled bilinearly to {SIDE_PX} x {SIDE_PX} without a filter, RGB in [-1, 1], unbiased covariances"
)
_REMEDY = (
    "Get pt_inception-2015-12-05-6726825d.pth (a release file of pytorch-fid) and name it in "
    "evaluation.inception_path or DREAMACTOR_EVALUATION__INCEPTION_PATH"
)
_EPSILON = 1e-3
_BATCH = 8

# Chains of layers that start at a block's input and end in its output, side by side.
_CELLS_5 = (
    ("branch1x1",),
    ("branch5x5_1", "branch5x5_2"),
    ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
)
_CELLS_6 = (
    ("branch1x1",),
    ("branch7x7_1", "branch7x7_2", "branch7x7_3"),
    ("branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"),
)
_CELLS_7 = (
    ("branch1x1",),
    ("branch3x3_1", ("branch3x3_2a", "branch3x3_2b")),
    ("branch3x3dbl_1", "branch3x3dbl_2", ("branch3x3dbl_3a", "branch3x3dbl_3b")),
)
_HALVE_6 = (("branch3x3",), ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"))
_HALVE_7 = (("branch3x3_1", "branch3x3_2"), ("branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"))
_Chain = tuple[str | tuple[str, ...], ...]


def _unit(tensors: Mapping[str, Tensor], name: str, *, stride: int = 1, same: bool = True) -> nn.Module:
    """Convolution and ReLU; the kernel's size is the file's."""
    height, width = tensors[f"{name}.conv.weight"].shape[2:]
    padding = (height // 2, width // 2) if same else (0, 0)
    layer = folded_convolution(tensors, f"{name}.conv", f"{name}.bn", epsilon=_EPSILON, stride=stride, padding=padding)
    return nn.Sequential(layer, nn.ReLU(inplace=True))


class _Fork(nn.Module):
    """Several layers on the same input, side by side."""

    def __init__(self, branches: list[nn.Module]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return torch.cat([branch(x_NCHW) for branch in self.branches], dim=1)


def _chain(tensors: Mapping[str, Tensor], block: str, names: _Chain, *, halve: bool) -> nn.Module:
    layers: list[nn.Module] = []
    for place, name in enumerate(names):
        last = halve and place == len(names) - 1
        if isinstance(name, tuple):
            layers.append(_Fork([_unit(tensors, f"{block}.{each}") for each in name]))
        else:
            layers.append(_unit(tensors, f"{block}.{name}", stride=2 if last else 1, same=not last))
    return nn.Sequential(*layers)


def _cell(tensors: Mapping[str, Tensor], block: str, chains: tuple[_Chain, ...], pool: nn.Module) -> nn.Module:
    pooled = nn.Sequential(pool, _unit(tensors, f"{block}.branch_pool"))
    return _Fork([*(_chain(tensors, block, names, halve=False) for names in chains), pooled])


def _halving(tensors: Mapping[str, Tensor], block: str, chains: tuple[_Chain, ...]) -> nn.Module:
    return _Fork([*(_chain(tensors, block, names, halve=True) for names in chains), nn.MaxPool2d(3, 2)])


class Inception(nn.Module):
    """Frames to features; its weights never learn."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        mean = nn.AvgPool2d(3, 1, padding=1, count_include_pad=False)
        self.layers = nn.Sequential(
            _unit(tensors, "Conv2d_1a_3x3", stride=2, same=False),
            _unit(tensors, "Conv2d_2a_3x3", same=False),
            _unit(tensors, "Conv2d_2b_3x3"),
            nn.MaxPool2d(3, 2),
            _unit(tensors, "Conv2d_3b_1x1"),
            _unit(tensors, "Conv2d_4a_3x3", same=False),
            nn.MaxPool2d(3, 2),
            *(_cell(tensors, f"Mixed_5{letter}", _CELLS_5, mean) for letter in "bcd"),
            _halving(tensors, "Mixed_6a", _HALVE_6),
            *(_cell(tensors, f"Mixed_6{letter}", _CELLS_6, mean) for letter in "bcde"),
            _halving(tensors, "Mixed_7a", _HALVE_7),
            _cell(tensors, "Mixed_7b", _CELLS_7, mean),
            _cell(tensors, "Mixed_7c", _CELLS_7, nn.MaxPool2d(3, 1, padding=1)),
        )
        frozen(self)

    @classmethod
    def load(cls, path: Path, sha256: str) -> "Inception":
        """Out of the file of its weights.

        Raises:
            WeightsError: no such file, another one, or one in another layout.
        """
        if not path.is_file():
            raise WeightsError("there is no Inception file", path=path, remedy=_REMEDY)
        if sha256_file(path) != sha256:
            raise WeightsError("is not the Inception file of FID", path=path, remedy=_REMEDY)
        try:
            return cls(torch.load(path, map_location="cpu", weights_only=True))
        except KeyError as problem:
            raise WeightsError(f"holds no tensor {problem}", path=path, remedy=_REMEDY) from problem

    def forward(self, frames_NCHW: Tensor) -> Tensor:
        """Features (N, 2048) of frames in [0, 1] of any size."""
        scaled = F.interpolate(frames_NCHW, size=(SIDE_PX, SIDE_PX), mode="bilinear", align_corners=False)
        x_NCHW = self.layers((2 * scaled - 1).contiguous(memory_format=torch.channels_last))
        return x_NCHW.mean(dim=(2, 3))


def inception_features(frames_THWC: np.ndarray, settings: EvaluationSettings) -> np.ndarray:
    """(T, 2048) float64 features of uint8 frames.

    Raises:
        WeightsError: settings name no file, or not the one.
    """
    if settings.inception_path is None:
        raise WeightsError("FID needs the Inception file, which no package brings", remedy=_REMEDY)
    return _features_by(settings.inception_path, settings.inception_sha256)(frames_THWC)


@cache
def _features_by(path: Path, sha256: str) -> Callable[[np.ndarray], np.ndarray]:
    return Remembered(partial(pooled_features, Inception.load(path, sha256), batch=_BATCH))
