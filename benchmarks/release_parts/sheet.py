"""A picture of what the released model makes of people it never saw: each held-out clip as it was, and as it was made.

python -m benchmarks.release_parts.sheet OUT.jpg [CLIPS [CHECKPOINT]]
"""

import sys
from pathlib import Path

import numpy as np
from dreamactor_core.image import write_image
from dreamactor_model.evaluation.contender import ModelContender
from dreamactor_model.evaluation.metrics.frames.pixels import psnr_db
from dreamactor_model.evaluation.suites.scenes import load_scene
from dreamactor_model.evaluation.suites.selection import select_pairs
from dreamactor_model.evaluation.suites.table import MODEL, SUITES

from benchmarks.release_parts.held_out import EVERY_CLIP, MANIFEST, enter, load_model

_FRAMES = (8, 16, 24, 32)


def draw(path: Path, clips: int, checkpoint: str | None = None) -> None:
    """Rows of reference and frames: above as filmed, below as made.

    Args:
        clips: how many, evenly spread over the held-out ones.
        checkpoint: None: the released weights.
    """
    settings = enter() if checkpoint is None else enter(model__checkpoint=checkpoint)
    model, sampling = load_model(settings)
    contender = ModelContender(model, MODEL, sampling, settings.signals.guidance)
    suite = SUITES["release"]
    pairs = select_pairs(suite, MANIFEST, clips=EVERY_CLIP)
    rows = []
    for index in np.linspace(0, len(pairs) - 1, clips).round().astype(int):
        scene = load_scene(pairs[index], MANIFEST.parent, suite, settings, model.fineness)
        made_THWC = contender.animate(scene)
        copied_db = psnr_db(scene.filmed_THWC[1:], np.repeat(scene.references_RHWC[:1], len(scene) - 1, 0)).mean()
        print(f"{scene.name}: {psnr_db(scene.filmed_THWC[1:], made_THWC[1:]).mean():.1f} dB, a copy {copied_db:.1f} dB")
        reference, frames = scene.references_RHWC[0], list(_FRAMES)
        above = np.concatenate([reference, *scene.filmed_THWC[frames]], axis=1)
        below = np.concatenate([np.full_like(reference, 255), *made_THWC[frames]], axis=1)
        rows.append(np.concatenate([above, below]))
    half = -(-len(rows) // 2)
    columns = [np.concatenate(part) for part in (rows[:half], rows[half:]) if part]
    height = max(len(column) for column in columns)
    padded = [np.pad(column, ((0, height - len(column)), (0, 0), (0, 0)), constant_values=255) for column in columns]
    write_image(path, np.concatenate(padded, axis=1))


if __name__ == "__main__":
    draw(Path(sys.argv[1]).absolute(), int(sys.argv[2]) if len(sys.argv) > 2 else 8, *sys.argv[3:4])
