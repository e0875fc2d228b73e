"""How long the released model takes to make 73 frames of a person who sways a little, drawing and decoding included, on
this machine.

python -m benchmarks.release_parts.speed
"""

import json
import time

from dreamactor_core.footage import footage
from dreamactor_model.animate.frames import make_frames
from dreamactor_model.animate.motion import TrackMotion
from dreamactor_model.animate.references import encode_references
from dreamactor_model.animate.speech import held_pose
from dreamactor_model.animate.subject import read_subject
from dreamactor_model.encoders.audio import AUDIO_FPS
from dreamactor_signals.trackers import make_tracker

from benchmarks.release_parts.held_out import enter, load_model

_FRAMES = 73


def measure(scale: float = 1.0) -> dict[str, float]:
    """Seconds by the wall clock, the model loaded and the reference tracked already."""
    settings = enter()
    model, sampling = load_model(settings)
    guidance, frames = settings.signals.guidance, max(5, round(_FRAMES * scale))
    tracker, area = make_tracker(settings.signals), int(model.about["area"])
    subject = read_subject((footage("astronaut"),), tracker, area=area, fineness=model.fineness)
    track = held_pose(subject.track, frames, AUDIO_FPS, sampling.seed)
    motion = TrackMotion(track, subject.size, guidance, own_face=subject.face_crop())
    began = time.perf_counter()
    references = encode_references(model, subject, guidance)
    made = list(make_frames(model, references, motion, sampling))
    assert len(made) == frames
    return {"sample_73_frames_s": time.perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
