"""How long the released model takes to make 73 frames, decoding included, on this machine.

python -m benchmarks.release_parts.speed
"""

import json
import time

import numpy as np
from dreamactor_model.animate.frames import make_frames
from dreamactor_model.animate.references import encode_images
from dreamactor_model.sampling.references import References
from dreamactor_model.sampling.stream import MotionArrays

from benchmarks.release_parts.held_out import enter, load_model

_FRAMES = 73


def measure(scale: float = 1.0) -> dict[str, float]:
    """Seconds by the wall clock, the model loaded already."""
    settings = enter()
    model, sampling = load_model(settings)
    side, frames = round(int(model.about["area"]) ** 0.5), max(5, round(_FRAMES * scale))
    motion = MotionArrays(np.zeros((frames, 6, side, side), np.uint8), np.full((frames, 224, 224, 3), 128, np.uint8))
    picture_RHWC = np.full((1, side, side, 3), 128, np.uint8)
    control_RCHW = np.zeros((1, 6, side, side), np.uint8)
    began = time.perf_counter()
    references = References(encode_images(model, picture_RHWC), control_RCHW)
    made = list(make_frames(model, references, motion, sampling, "sampling"))
    assert len(made) == frames
    return {"sample_73_frames_s": time.perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
