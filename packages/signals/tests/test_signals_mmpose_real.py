"""The real mmpose in its own environment, with a checkpoint of the right layout and random weights made here.

Random weights see nothing: these tests are about the process, its protocol, its errors and the layout of what comes
out, never about how well a person is tracked. `make setup-mmpose` builds the environment, `make test` too.
"""

import os
import pickle
import signal
import subprocess
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.errors import InputError, SettingsError, TrackerError, WeightsError
from dreamactor_core.footage import footage
from dreamactor_core.manifest import ClipRow, write_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.signals import MmposeSettings, SignalsSettings
from dreamactor_core.video import read_frames
from dreamactor_signals.body_models import choose
from dreamactor_signals.extraction import extract_manifest
from dreamactor_signals.trackers import make_tracker
from dreamactor_signals.trackers.mmpose import MmposeTracker
from dreamactor_signals.trackers.mmpose.process import CHILD, MmposeProcess

PYTHON = Path(__file__).parents[3] / ".venvs" / "mmpose" / "bin" / "python"
# The smallest whole-body network that ships with mmpose: 5.5 million weights.
CONFIG = "rtmpose-t_8xb64-270e_coco-ubody-wholebody-256x192"
BOX = np.array([30.0, 10, 150, 144])
SHA256 = "0" * 64

needs_mmpose = pytest.mark.skipif(not PYTHON.is_file(), reason="run: make setup-mmpose")

# Three layouts of one network: as mmengine writes while training (with its curves, numpy numbers and the average of
# the weights), as mmpose publishes (the old container of torch), and with a layer of another width.
MAKE_CHECKPOINTS = """
import sys
from pathlib import Path
import numpy as np, torch
sys.path.insert(0, sys.argv[1])
from estimator import find_config, score_of_certainty, stand_ins
with stand_ins():
    from mmengine.logging import HistoryBuffer
    from mmpose.apis import init_model
torch.manual_seed(0)
model = init_model(str(find_config(sys.argv[2])), device="cpu")
state, folder = model.state_dict(), Path(sys.argv[3])
curve = HistoryBuffer()
curve.update(0.5)
hub = {"log_scalars": {"train/loss": curve}, "resumed_keys": {}, "runtime_info": {"iter": 3}}
meta = {"dataset_meta": model.dataset_meta, "seed": 1, "best": np.float64(0.5), "cfg": "", "epoch": 1}
average = {f"module.{name}": tensor for name, tensor in state.items()}
trained = {"meta": meta, "message_hub": hub, "state_dict": state, "ema_state_dict": average, "optimizer": {"state": {}}}
torch.save(trained, folder / "trained.pth")
torch.save({"meta": {}, "state_dict": state}, folder / "published.pth", _use_new_zipfile_serialization=False)
wrong = {name: tensor[:1] if name.endswith("final_layer.weight") else tensor for name, tensor in state.items()}
torch.save({"state_dict": wrong}, folder / "wrong.pth")
from mmengine.config import Config
for name in ("rtmw-l_8xb320-270e_cocktail14-384x288", "rtmpose-m_8xb64-270e_coco-wholebody-256x192"):
    (folder / name).write_text(str(score_of_certainty(Config.fromfile(find_config(name)))))
"""


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    command = [str(PYTHON), "-s", "-E", "-c", MAKE_CHECKPOINTS, str(CHILD), CONFIG, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def _settings(checkpoint: Path, **changes: object) -> MmposeSettings:
    return MmposeSettings(python=PYTHON, config=CONFIG, checkpoint=checkpoint, device="cpu").model_copy(update=changes)


@pytest.fixture(scope="module")
def process(checkpoints: Path) -> Iterator[MmposeProcess]:
    process = MmposeProcess(_settings(checkpoints / "trained.pth"), threads=1)
    yield process
    process.close()


@pytest.fixture(scope="module")
def tracker(checkpoints: Path) -> Iterator[MmposeTracker]:
    settings = SignalsSettings(tracker="mmpose", mmpose=_settings(checkpoints / "published.pth", frame_deadline_s=20.0))
    tracker = make_tracker(settings)
    assert isinstance(tracker, MmposeTracker)
    yield tracker
    tracker.close()


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    try:
        return read_frames(footage("talking-head"), range(6))
    except InputError as error:
        pytest.skip(error.line())


def _track(tracker: MmposeTracker, frames: np.ndarray) -> MotionTrack:
    return tracker.track(iter(frames), Fraction(30000, 1001), (frames.shape[2], frames.shape[1]), SHA256)


@needs_mmpose
def test_a_frame_gives_133_keypoints_with_scores(process: MmposeProcess, frames: np.ndarray) -> None:
    process.submit(frames[0], BOX)
    keypoints = process.collect()
    assert keypoints.shape == (133, 3)
    assert keypoints.dtype == np.float32
    assert np.isfinite(keypoints).all()
    assert keypoints[:, 2].min() >= 0
    assert keypoints[:, 2].max() <= 1
    # A top-down network looks at its box, padded to its own aspect, and nowhere else.
    center, half = (BOX[:2] + BOX[2:]) / 2, (BOX[2:] - BOX[:2]).max() / 0.75 * 1.25 / 2
    assert (np.abs(keypoints[:, :2] - center) <= half + 1).all()


@needs_mmpose
def test_equal_frames_give_equal_keypoints_and_other_boxes_others(process: MmposeProcess, frames: np.ndarray) -> None:
    found = []
    for box_px in (BOX, BOX, BOX + 9):
        process.submit(frames[1], box_px)
        found.append(process.collect())
    np.testing.assert_array_equal(found[0], found[1])
    assert np.abs(found[0] - found[2]).max() > 1


@needs_mmpose
def test_the_two_layouts_of_one_network_see_the_same(
    process: MmposeProcess, tracker: MmposeTracker, frames: np.ndarray
) -> None:
    """Also: every size of frame passes, and red is not blue."""
    other = tracker._process
    swapped = []
    for frame in (frames[0], np.ascontiguousarray(frames[0][:99, ::-1]), frames[0][..., ::-1]):
        process.submit(frame, BOX)
        other.submit(frame, BOX)
        swapped.append(process.collect())
        np.testing.assert_array_equal(swapped[-1], other.collect())
    assert np.abs(swapped[0] - swapped[2]).max() > 0.1


@needs_mmpose
def test_the_process_says_what_it_is(process: MmposeProcess) -> None:
    assert process.alive
    assert process.description["config"] == CONFIG
    assert process.description["mmpose"] == "1.3.2"
    assert process.description["device"] == "cpu"


@needs_mmpose
def test_scores_mean_the_same_whatever_the_networks_loss(checkpoints: Path) -> None:
    certain = {path.name.partition("-")[0]: float(path.read_text()) for path in checkpoints.glob("rtm*")}
    assert certain == {"rtmpose": 1.0, "rtmw": 10.0}


@needs_mmpose
def test_one_frame_at_a_time(process: MmposeProcess, frames: np.ndarray) -> None:
    process.submit(frames[0], BOX)
    process.forget()
    process.submit(frames[0], BOX)
    assert process.collect().shape == (133, 3)


@needs_mmpose
def test_a_track_has_the_layout_of_every_other(tracker: MmposeTracker, frames: np.ndarray, tmp_path: Path) -> None:
    track = _track(tracker, frames)
    assert len(track) == 6
    assert track.frame_size == (176, 144)
    assert track.fps == Fraction(30000, 1001)
    assert track.source_sha256 == SHA256
    assert track.trackers["body"].startswith(f"mmpose 1.3.2 {CONFIG} sha256:")
    assert track.trackers["fit"].startswith("anny")
    # Whatever mmpose saw, the face network saw the man's face.
    assert track.face_confidence.min() > 0.8
    assert track.face_units is not None
    track.save(tmp_path / "track.safetensors")
    assert MotionTrack.load(tmp_path / "track.safetensors") == track


@needs_mmpose
def test_one_process_serves_clip_after_clip_alike(tracker: MmposeTracker, frames: np.ndarray) -> None:
    pid = tracker._process.pid
    assert _track(tracker, frames[:3]) == _track(tracker, frames[:3])
    assert tracker._process.pid == pid


@needs_mmpose
def test_frames_without_anybody_are_refused_and_leave_no_trace(tracker: MmposeTracker, frames: np.ndarray) -> None:
    before = _track(tracker, frames[:2])
    with pytest.raises(InputError, match="no person found in 2 frames"):
        _track(tracker, np.zeros((2, 120, 160, 3), np.uint8))
    assert _track(tracker, frames[:2]) == before


@needs_mmpose
def test_a_video_that_breaks_off_leaves_the_process_in_step(tracker: MmposeTracker, frames: np.ndarray) -> None:
    def broken() -> Iterator[np.ndarray]:
        yield from frames[:2]
        raise InputError("cannot be decoded near frame 2")

    before, pid = _track(tracker, frames[3:5]), tracker._process.pid
    with pytest.raises(InputError, match="near frame 2"):
        tracker.track(broken(), Fraction(30), (176, 144), SHA256)
    assert _track(tracker, frames[3:5]) == before
    assert tracker._process.pid == pid


@needs_mmpose
def test_a_process_killed_in_the_middle_is_told_and_the_next_clip_starts_another(
    tracker: MmposeTracker, frames: np.ndarray
) -> None:
    before, pid = _track(tracker, frames[:2]), tracker._process.pid

    def until_killed() -> Iterator[np.ndarray]:
        yield frames[0]
        os.kill(pid, signal.SIGKILL)
        yield frames[1]

    with pytest.raises(TrackerError, match=r"mmpose broke down \(exit status -9\).*fewer processes"):
        tracker.track(until_killed(), Fraction(30), (176, 144), SHA256)
    assert not tracker._process.alive
    assert _track(tracker, frames[:2]) == before
    assert tracker._process.pid != pid


@needs_mmpose
def test_a_process_that_hangs_is_stopped_at_the_deadline(checkpoints: Path, frames: np.ndarray) -> None:
    process = MmposeProcess(_settings(checkpoints / "trained.pth", frame_deadline_s=1.0), threads=1)
    process.submit(frames[0], BOX)
    process.collect()
    os.kill(process.pid, signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(TrackerError, match="no answer in time"):
        # More than a pipe holds: handing over must not wait for ever either.
        process.submit(np.zeros((600, 800, 3), np.uint8), BOX)
    assert time.monotonic() - started < 5
    assert not process.alive
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def _mmpose_children() -> int:
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    commands = [Path(f"/proc/{child}/cmdline") for child in children]
    return sum(str(CHILD).encode() in command.read_bytes() for command in commands if command.exists())


@needs_mmpose
def test_loading_has_a_deadline_and_leaves_nothing_behind(checkpoints: Path) -> None:
    before = _mmpose_children()
    with pytest.raises(TrackerError, match="no answer in time"):
        MmposeProcess(_settings(checkpoints / "trained.pth", start_deadline_s=0.3), threads=1)
    assert _mmpose_children() == before


def _damaged(checkpoints: Path, kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.pth"
    whole = (checkpoints / "trained.pth").read_bytes()
    if kind == "cut-short":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("<html>404</html>")
    else:
        path.write_bytes(pickle.dumps({"state_dict": _Bomb(folder / "exploded")}, protocol=2))
    return path


class _Bomb:
    """What a hostile pickle does."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self._target}",)


@needs_mmpose
@pytest.mark.parametrize("kind", ["cut-short", "empty", "text", "bomb"])
def test_a_damaged_checkpoint_is_told_with_its_path(checkpoints: Path, kind: str, tmp_path: Path) -> None:
    path = _damaged(checkpoints, kind, tmp_path)
    with pytest.raises(WeightsError, match=rf"{kind}\.pth: not a readable checkpoint .*Download the checkpoint"):
        MmposeProcess(_settings(path), threads=1)
    assert not (tmp_path / "exploded").exists()


@needs_mmpose
def test_a_damaged_checkpoint_stops_a_manifest_before_its_first_clip(checkpoints: Path, tmp_path: Path) -> None:
    row = ClipRow(
        clip_id="a", video="a.mp4", sha256=SHA256, width=16, height=16, fps_num=25, fps_den=1, frame_count=5,
        source="s", identity="i", category="c", licence="l", consent="c", split="train", synthetic=False, status="kept",
    )  # fmt: skip
    write_manifest(tmp_path / "manifest.parquet", [row])
    settings = _settings(_damaged(checkpoints, "cut-short", tmp_path))
    with pytest.raises(WeightsError, match=r"cut-short\.pth: not a readable checkpoint"):
        extract_manifest(
            tmp_path / "manifest.parquet", tmp_path / "out", SignalsSettings(tracker="mmpose", mmpose=settings)
        )
    assert not list((tmp_path / "out").rglob("*.parquet"))


@needs_mmpose
def test_a_checkpoint_of_another_network_is_told(checkpoints: Path) -> None:
    with pytest.raises(WeightsError, match=r"wrong\.pth: does not fit the config: 1 of \d+ tensors.*final_layer"):
        MmposeProcess(_settings(checkpoints / "wrong.pth"), threads=1)


@needs_mmpose
def test_an_unknown_config_is_told_with_the_nearest(checkpoints: Path) -> None:
    with pytest.raises(SettingsError, match="no whole-body config 'rtmw-l'.*Choose e.g. rtmw-l_"):
        MmposeProcess(_settings(checkpoints / "trained.pth", config="rtmw-l"), threads=1)


def test_a_missing_environment_is_told_with_its_command(tmp_path: Path) -> None:
    absent = MmposeSettings(python=tmp_path / "python", checkpoint=tmp_path)
    with pytest.raises(TrackerError, match="environment of the mmpose tracker is not there. Run: make setup-mmpose"):
        make_tracker(SignalsSettings(tracker="mmpose", mmpose=absent))


def test_a_missing_body_fit_is_told_before_anything_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match=r"needs the package torch.*pip install 'dreamactor-signals\[body\]'"):
        make_tracker(SignalsSettings(tracker="mmpose"))


def test_a_missing_checkpoint_is_told_with_its_option(tmp_path: Path) -> None:
    interpreter = tmp_path / "python"
    interpreter.touch()
    for checkpoint, problem in ((None, "needs a checkpoint"), (tmp_path / "no.pth", r"no\.pth: no such checkpoint")):
        settings = MmposeSettings(python=interpreter, checkpoint=checkpoint)
        with pytest.raises(WeightsError, match=f"{problem}.*--mmpose-checkpoint"):
            make_tracker(SignalsSettings(tracker="mmpose", mmpose=settings))
