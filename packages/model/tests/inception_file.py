"""A file in the layout of FID's Inception weights, with made-up numbers: 94 convolutions with norms, and a readout."""

from pathlib import Path

import numpy as np
import torch
from dreamactor_core.files import sha256_file
from torch import Tensor

CLASSES = 1008
_STEM = {
    "Conv2d_1a_3x3": (32, 3, 3, 3),
    "Conv2d_2a_3x3": (32, 32, 3, 3),
    "Conv2d_2b_3x3": (64, 32, 3, 3),
    "Conv2d_3b_1x1": (80, 64, 1, 1),
    "Conv2d_4a_3x3": (192, 80, 3, 3),
}


def _block_5(inputs: int, pooled: int) -> dict[str, tuple[int, ...]]:
    return {
        "branch1x1": (64, inputs, 1, 1),
        "branch5x5_1": (48, inputs, 1, 1),
        "branch5x5_2": (64, 48, 5, 5),
        "branch3x3dbl_1": (64, inputs, 1, 1),
        "branch3x3dbl_2": (96, 64, 3, 3),
        "branch3x3dbl_3": (96, 96, 3, 3),
        "branch_pool": (pooled, inputs, 1, 1),
    }


def _block_6(inside: int) -> dict[str, tuple[int, ...]]:
    return {
        "branch1x1": (192, 768, 1, 1),
        "branch7x7_1": (inside, 768, 1, 1),
        "branch7x7_2": (inside, inside, 1, 7),
        "branch7x7_3": (192, inside, 7, 1),
        "branch7x7dbl_1": (inside, 768, 1, 1),
        "branch7x7dbl_2": (inside, inside, 7, 1),
        "branch7x7dbl_3": (inside, inside, 1, 7),
        "branch7x7dbl_4": (inside, inside, 7, 1),
        "branch7x7dbl_5": (192, inside, 1, 7),
        "branch_pool": (192, 768, 1, 1),
    }


def _block_7(inputs: int) -> dict[str, tuple[int, ...]]:
    return {
        "branch1x1": (320, inputs, 1, 1),
        "branch3x3_1": (384, inputs, 1, 1),
        "branch3x3_2a": (384, 384, 1, 3),
        "branch3x3_2b": (384, 384, 3, 1),
        "branch3x3dbl_1": (448, inputs, 1, 1),
        "branch3x3dbl_2": (384, 448, 3, 3),
        "branch3x3dbl_3a": (384, 384, 1, 3),
        "branch3x3dbl_3b": (384, 384, 3, 1),
        "branch_pool": (192, inputs, 1, 1),
    }


_BLOCKS = {
    "Mixed_5b": _block_5(192, 32),
    "Mixed_5c": _block_5(256, 64),
    "Mixed_5d": _block_5(288, 64),
    "Mixed_6a": {
        "branch3x3": (384, 288, 3, 3),
        "branch3x3dbl_1": (64, 288, 1, 1),
        "branch3x3dbl_2": (96, 64, 3, 3),
        "branch3x3dbl_3": (96, 96, 3, 3),
    },
    "Mixed_6b": _block_6(128),
    "Mixed_6c": _block_6(160),
    "Mixed_6d": _block_6(160),
    "Mixed_6e": _block_6(192),
    "Mixed_7a": {
        "branch3x3_1": (192, 768, 1, 1),
        "branch3x3_2": (320, 192, 3, 3),
        "branch7x7x3_1": (192, 768, 1, 1),
        "branch7x7x3_2": (192, 192, 1, 7),
        "branch7x7x3_3": (192, 192, 7, 1),
        "branch7x7x3_4": (192, 192, 3, 3),
    },
    "Mixed_7b": _block_7(1280),
    "Mixed_7c": _block_7(2048),
}
CONVOLUTIONS = _STEM | {f"{block}.{name}": shape for block, names in _BLOCKS.items() for name, shape in names.items()}


def inception_tensors() -> dict[str, Tensor]:
    """All 566 tensors, the same every time."""
    random = np.random.default_rng(0)
    tensors: dict[str, Tensor] = {}
    for name, shape in CONVOLUTIONS.items():
        # Keeps the size of what passes through the rectifiers.
        kernel = random.standard_normal(shape, dtype=np.float32) * np.sqrt(2 / np.prod(shape[1:]), dtype=np.float32)
        outputs = shape[0]
        tensors |= {
            f"{name}.conv.weight": torch.from_numpy(kernel),
            f"{name}.bn.weight": torch.from_numpy(random.uniform(0.8, 1.2, outputs).astype(np.float32)),
            f"{name}.bn.bias": torch.from_numpy(random.normal(0, 0.1, outputs).astype(np.float32)),
            f"{name}.bn.running_mean": torch.from_numpy(random.normal(0, 0.1, outputs).astype(np.float32)),
            f"{name}.bn.running_var": torch.from_numpy(random.uniform(0.8, 1.2, outputs).astype(np.float32)),
            f"{name}.bn.num_batches_tracked": torch.tensor(0),
        }
    return tensors | {"fc.weight": torch.zeros(CLASSES, 2048), "fc.bias": torch.zeros(CLASSES)}


def write_inception(path: Path) -> str:
    """Write the file; returns its sha256."""
    torch.save(inception_tensors(), path)
    return sha256_file(path)
