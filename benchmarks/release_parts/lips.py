"""Lips driven by speech alone: sentences and voices of four languages that were never heard in training.

A held-out person's first frame is the reference, espeak-ng speaks, and the embedded tracker reads in the result how far
the mouth is open. It is compared with how far the sentence opens it (`speaking_units`), frame by frame. References face
the camera: how far a mouth is open that is seen from the side, no tracker reads.

    python -m benchmarks.release_parts.lips
"""

import json
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from dreamactor_core.face_units import ARKIT_UNITS
from dreamactor_core.manifest import read_manifest
from dreamactor_core.settings import Settings
from dreamactor_core.settings.sampling import SamplingSettings
from dreamactor_core.settings.signals import Guidance
from dreamactor_dataset.synthetic.speech.sentences import HELD_OUT
from dreamactor_dataset.synthetic.speech.utterances import Utterance, make_utterances, write_recording
from dreamactor_model.animate.frames import make_frames
from dreamactor_model.animate.loaded import LoadedModel
from dreamactor_model.animate.motion import TrackMotion
from dreamactor_model.animate.references import encode_references
from dreamactor_model.animate.speech import SpeechDriver, held_pose
from dreamactor_model.animate.subject import Subject
from dreamactor_model.encoders.audio import AUDIO_FPS
from dreamactor_model.evaluation.suites.scenes import load_scene
from dreamactor_model.evaluation.suites.selection import Pair
from dreamactor_model.evaluation.suites.table import SUITES
from dreamactor_signals.trackers import Tracker, make_tracker
from dreamactor_signals.views import head_yaw_rad

from benchmarks.release_parts.held_out import MANIFEST, enter, load_model

# Every language is spoken once by everyone: some mouths are read better than others.
_SUBJECTS = 6
_WIDEST_YAW_RAD = np.radians(30)
_JAW = ARKIT_UNITS.index("jawOpen")


def measure(scale: float = 1.0) -> dict[str, float]:
    """Mean correlation of the mouth's opening by language; `scale` below 1 takes fewer sentences."""
    settings = enter()
    model, sampling = load_model(settings)
    driver = SpeechDriver.load(model.folder, settings, model.device)
    tracker, subjects = make_tracker(settings.signals), _portraits(settings, model.fineness)
    found: dict[str, list[float]] = {}
    for utterance in make_utterances(max(1, round(_SUBJECTS * scale)) * len(HELD_OUT), seed=1, part="test"):
        of_language = found.setdefault(utterance.language, [])
        subject = subjects[len(of_language) % len(subjects)]
        read = _spoken_jaw(subject, utterance, model, driver, tracker, sampling, settings.signals.guidance)
        count = min(len(read), len(utterance.units))
        of_language.append(float(np.corrcoef(read[:count], utterance.units[:count, _JAW])[0, 1]))
    means = {f"lip_r_{language}": float(np.mean(values)) for language, values in found.items()}
    return {"lip_r_min": min(means.values()), **means}


def _portraits(settings: Settings, fineness: int) -> list[Subject]:
    rows = [row for row in read_manifest(MANIFEST) if row.split == "test" and row.framing == "portrait" and row.motion]
    scenes = (load_scene(Pair(row, row), MANIFEST.parent, SUITES["portrait"], settings, fineness) for row in rows)
    facing = (scene for scene in scenes if abs(head_yaw_rad(scene.reference)[0]) < _WIDEST_YAW_RAD)
    return [
        Subject(scene.references_RHWC[:1], scene.reference, scene.size, (Path(scene.name),))
        for scene in islice(facing, _SUBJECTS)
    ]


@torch.inference_mode()
def _spoken_jaw(
    subject: Subject,
    utterance: Utterance,
    model: LoadedModel,
    driver: SpeechDriver,
    tracker: Tracker,
    sampling: SamplingSettings,
    guidance: Guidance,
) -> np.ndarray:
    """(T,) how far the mouth is seen to be open."""
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "speech.wav"
        write_recording(recording, utterance.samples)
        spoken = driver.face(recording, AUDIO_FPS)
    track = spoken.onto(held_pose(subject.track, len(spoken), AUDIO_FPS, seed=0))
    motion = TrackMotion(track, subject.size, guidance)
    frames = list(make_frames(model, encode_references(model, subject, guidance), motion, sampling))
    seen = tracker.track(frames, AUDIO_FPS, subject.size, "")
    assert seen.face_units is not None
    return np.asarray(seen.face_units[:, _JAW])


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
