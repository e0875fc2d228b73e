"""What a network sees in many frames: some at a time, all in one array.

Legend: T frames, N frames at a time, C channels, H W rows and columns, D features.
"""

import numpy as np
import torch
from dreamactor_core.image import resize_image
from torch import nn


@torch.inference_mode()
def pooled_features(
    network: nn.Module, frames_THWC: np.ndarray, *, batch: int, side_px: int | None = None
) -> np.ndarray:
    """(T, D) float64 features of uint8 frames, at least one.

    Args:
        network: (N, C, H, W) in [0, 1] to (N, D).
        batch: frames at a time.
        side_px: of the square to which each frame is scaled first; as they are where it is None.
    """
    parts = []
    for start in range(0, len(frames_THWC), batch):
        frames = frames_THWC[start : start + batch]
        shown = frames if side_px is None else scaled(frames, side_px)
        parts.append(network(torch.from_numpy(shown).permute(0, 3, 1, 2).float() / 255))
    return torch.cat(parts).double().numpy()


def scaled(frames_THWC: np.ndarray, side_px: int) -> np.ndarray:
    """uint8 frames as squares (T, side_px, side_px, C), by Lanczos."""
    return np.stack([resize_image(np.ascontiguousarray(frame), (side_px, side_px)) for frame in frames_THWC])
