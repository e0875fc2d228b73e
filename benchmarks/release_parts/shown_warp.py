"""What the model is shown by itself, on every held-out clip: its own warp, of which the baseline has the joints alone.

python -m benchmarks.release_parts.shown_warp
"""

import json

import numpy as np
from dreamactor_core.console import progress
from dreamactor_model.animate.loaded import fineness_of
from dreamactor_model.checkpoint import read_about
from dreamactor_model.evaluation.metrics.frames import perceptual, pixels
from dreamactor_model.evaluation.suites.scenes import load_scene
from dreamactor_model.evaluation.suites.selection import select_pairs
from dreamactor_model.evaluation.suites.table import SUITES
from dreamactor_model.registry import checkpoint_folder
from dreamactor_signals.warp import ReferenceWarp

from benchmarks.release_parts.held_out import EVERY_CLIP, MANIFEST, enter


def measure(scale: float = 1.0) -> dict[str, float]:
    """Its PSNR and LPIPS; `scale` below 1 takes fewer clips."""
    settings = enter()
    suite = SUITES["release"]
    fineness = fineness_of(read_about(checkpoint_folder(settings.tracking, settings.model.checkpoint)))
    pairs = select_pairs(suite, MANIFEST, clips=EVERY_CLIP)
    psnr_db, lpips = [], []
    for pair in progress(pairs[:: max(1, round(1 / scale))], "shown warp"):
        scene = load_scene(pair, MANIFEST.parent, suite, settings, fineness)
        assert scene.truth_THWC is not None
        shown_THWC = ReferenceWarp(scene.references_RHWC[0], scene.reference).frames(scene.driving)
        made_THWC, truth_THWC = shown_THWC[scene.measured], scene.truth_THWC[scene.measured]
        psnr_db.append(pixels.bounded_psnr_db(made_THWC, truth_THWC).mean())
        lpips.append(perceptual.lpips(made_THWC, truth_THWC).mean())
    return {
        "shown_warp_psnr_db": float(np.mean(psnr_db)),
        "shown_warp_lpips": float(np.mean(lpips)),
        "shown_warp_clips": len(psnr_db),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
