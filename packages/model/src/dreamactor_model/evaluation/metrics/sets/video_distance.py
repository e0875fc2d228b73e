"""FVD: the Frechet distance of two sets of videos in the logits of I3D (Unterthiner et al. 2018).

Legend: N chunks, T frames, H W rows and columns.
"""

import numpy as np
import torch

from dreamactor_model.evaluation.metrics.sets.features import scaled
from dreamactor_model.evaluation.metrics.sets.i3d import FRAMES, I3D, SHA256, SIDE_PX, WIDTH

PROTOCOL = (
    f"FVD, I3D Kinetics-400 logits before softmax, chunks of {FRAMES} frames one after the other, each frame scaled to "
    f"{SIDE_PX} x {SIDE_PX}, RGB in [-1, 1]; weights sha256 {SHA256}"
)


def video_features(frames_THWC: np.ndarray) -> np.ndarray:
    """(N, 400) float64 logits of all whole chunks of one video, uint8.

    Raises:
        WeightsError: the network is not installed.
    """
    network = I3D.load()
    starts = range(0, len(frames_THWC) - FRAMES + 1, FRAMES)
    with torch.inference_mode():
        logits = [network(_prepared(frames_THWC[start : start + FRAMES])) for start in starts]
    return torch.cat(logits).double().numpy() if logits else np.empty((0, WIDTH))


def _prepared(chunk_THWC: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(scaled(chunk_THWC, SIDE_PX)).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
