"""`dreamactor signals draw` on a made video and its track."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.cli import main
from dreamactor_core.errors import InputError
from dreamactor_core.image import read_image
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.video import VideoWriter, probe, read_frames
from dreamactor_signals.draw import control_maps
from dreamactor_signals.draw.video import draw_video

FRAMES, SIZE = 8, (96, 128)


@pytest.fixture
def clip(tmp_path: Path, person: Callable[..., MotionTrack]) -> tuple[Path, MotionTrack]:
    """A grey video, and the track of a person turning in it."""
    track = person(np.linspace(-0.5, 0.5, FRAMES), focal_px=100, frame_size=SIZE)
    video = tmp_path / "grey.mp4"
    with VideoWriter(video, track.fps, size=SIZE) as writer:
        for _ in range(FRAMES):
            writer.write(np.full((SIZE[1], SIZE[0], 3), 120, np.uint8))
    return video, track


def run_cli(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["dreamactor", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_the_overlay_keeps_count_size_and_rate(clip: tuple[Path, MotionTrack], tmp_path: Path) -> None:
    video, track = clip
    output = tmp_path / "overlay.mp4"
    sheet = draw_video(video, track, output)
    info = probe(output)
    assert (info.width, info.height, info.frame_count, info.fps) == (*SIZE, FRAMES, track.fps)
    frames = read_frames(output).astype(int)
    drawn = control_maps(track, SIZE).any(axis=1)
    assert np.abs(frames - 120).max(axis=-1)[drawn].mean() > 40
    assert np.abs(frames - 120)[~drawn].mean() < 6
    assert sheet == tmp_path / "overlay.png"
    assert read_image(sheet).std() > 10


def test_maps_only_are_the_control_maps(clip: tuple[Path, MotionTrack], tmp_path: Path) -> None:
    video, track = clip
    output = tmp_path / "maps.mp4"
    draw_video(video, track, output, maps_only=True)
    frames = read_frames(output).astype(int)
    assert frames.shape == (FRAMES, SIZE[1], 2 * SIZE[0], 3)
    maps = control_maps(track, SIZE)
    expected = np.concatenate([maps[:, :3], maps[:, 3:]], axis=3).transpose(0, 2, 3, 1)
    assert np.abs(frames - expected).mean() < 3


def test_the_command_draws_a_saved_track(
    clip: tuple[Path, MotionTrack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video, track = clip
    track.save(tmp_path / "track.safetensors")
    output = tmp_path / "overlay.mp4"
    code = run_cli(monkeypatch, "signals", "draw", video, "--track", tmp_path / "track.safetensors", "-o", output)
    assert code == 0
    assert capsys.readouterr().out.split() == [str(output), str(tmp_path / "overlay.png")]
    assert probe(output).frame_count == FRAMES


@pytest.mark.parametrize("change", ["frames", "size"])
def test_a_track_of_another_video_is_refused(
    clip: tuple[Path, MotionTrack], person: Callable[..., MotionTrack], tmp_path: Path, change: str
) -> None:
    video, track = clip
    other = track[:5] if change == "frames" else person(np.zeros(FRAMES), frame_size=(64, 64))
    with pytest.raises(InputError, match="the track"):
        draw_video(video, other, tmp_path / "overlay.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grey.mp4"]


def test_the_command_refuses_what_is_not_a_track(
    clip: tuple[Path, MotionTrack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video, _ = clip
    output = tmp_path / "overlay.mp4"
    assert run_cli(monkeypatch, "signals", "draw", video, "--track", video, "-o", output) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not output.exists()
