"""Our metrics against independent programs on the same frames and features, and what the whole suite takes either way.

Frames are real footage with noise; the feature sets are random, 2,048 samples of 2,048 numbers. The suite is SSIM, PSNR
and LPIPS of frames of 256 x 256, and one Frechet distance; its speed is counted in frames a second of processor time.

    python -m benchmarks.evaluation_parts.agreement
"""

import json
import time
from collections.abc import Callable

import cv2
import numpy as np
from dreamactor_core.footage import footage
from dreamactor_core.video import read_frames
from dreamactor_model.evaluation.metrics.frames.perceptual import lpips
from dreamactor_model.evaluation.metrics.frames.pixels import psnr_db, ssim
from dreamactor_model.evaluation.metrics.sets.frechet import frechet_distance

from benchmarks.dit_parts.rounds import interleaved_medians_s
from benchmarks.evaluation_parts.peers import LpipsPackage, scipy_frechet, skimage_psnr, skimage_ssim

_FRAMES, _SIDE_PX, _ROUNDS = 24, 256, 3
_WIDTH = 2048


def measure(scale: float = 1.0) -> dict[str, float | bool | str | None]:
    """Differences, and `suite_ratio`."""
    made, truth = _frames(max(4, round(_FRAMES * scale)))
    random = np.random.default_rng(1)
    first = random.normal(size=(_WIDTH, _WIDTH))
    second = 0.1 + random.normal(size=(_WIDTH, _WIDTH)) @ (np.eye(_WIDTH) + 0.01 * random.normal(size=(_WIDTH, _WIDTH)))
    package = LpipsPackage()
    figures: dict[str, float | bool | str | None] = {
        "ssim_delta": float(np.abs(ssim(made, truth) - skimage_ssim(made, truth)).max()),
        "psnr_delta": float(np.abs(psnr_db(made, truth) - skimage_psnr(made, truth)).max()),
        "lpips_delta": float(np.abs(lpips(made, truth) - package(made, truth)).max()),
    }
    seconds = interleaved_medians_s(
        {
            "ssim": lambda: ssim(made, truth),
            "ssim_peer": lambda: skimage_ssim(made, truth),
            "psnr": lambda: psnr_db(made, truth),
            "psnr_peer": lambda: skimage_psnr(made, truth),
            "lpips": lambda: lpips(made, truth),
            "lpips_peer": lambda: package(made, truth),
        },
        _ROUNDS,
        clock=time.process_time,
    )
    # Once is enough of the matrix root: it takes half a minute.
    ours, seconds["frechet"] = _timed(lambda: frechet_distance(first, second))
    theirs, seconds["frechet_peer"] = _timed(lambda: scipy_frechet(first, second))
    names = ("ssim", "psnr", "lpips", "frechet")
    return {
        **figures,
        "frechet_rel": abs(ours - theirs) / theirs,
        "suite_ratio": sum(seconds[f"{name}_peer"] for name in names) / sum(seconds[name] for name in names),
        **{f"{name}_ratio": seconds[f"{name}_peer"] / seconds[name] for name in names},
    }


def _frames(count: int) -> tuple[np.ndarray, np.ndarray]:
    source = read_frames(footage("talking-head"), range(count))
    truth = np.stack([cv2.resize(frame, (_SIDE_PX, _SIDE_PX)) for frame in source])
    noise = np.random.default_rng(0).normal(0, 15, truth.shape)
    return np.clip(truth + noise, 0, 255).astype(np.uint8), truth


def _timed(call: Callable[[], float]) -> tuple[float, float]:
    start = time.process_time()
    value = call()
    return value, time.process_time() - start


if __name__ == "__main__":
    print(json.dumps(measure()))
