"""A set of synthetic clips on disk: what stands there, and what a rerun keeps."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.files import sha256_file
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.dataset import IngestSettings, SyntheticSettings
from dreamactor_core.video import probe
from dreamactor_dataset.ingest import ingest_videos
from dreamactor_dataset.synthetic import synthesize as module
from dreamactor_dataset.synthetic.synthesize import synthesize

SETTINGS = SyntheticSettings(people=2, clips=3, frames=5, size=64, seed=1, processes=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic")
    synthesize(folder, SETTINGS)
    return folder


def test_list_names_videos_and_truths_that_fit(made: Path) -> None:
    with (made / "clips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert len({row["identity"] for row in rows}) == 2
    for row in rows:
        video = made / f"{row['clip']}.mp4"
        info = probe(video)
        assert (info.width, info.height, info.fps, info.frame_count) == (64, 64, 25, 5)
        track = MotionTrack.load(made / row["truth_track"])
        assert len(track) == 5
        assert track.source_sha256 == sha256_file(video)
        assert list(track.trackers) == ["truth"]
        assert row["licence"] == "CC0-1.0"
        assert row["consent"] == "not a person"


def test_rerun_keeps_what_is_whole_and_makes_what_is_missing(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []
    make = module.make_clip
    monkeypatch.setattr(
        module, "make_clip", lambda plan, *arguments: (rendered.append(plan.name), make(plan, *arguments))[1]
    )
    synthesize(made, SETTINGS)
    assert rendered == []
    videos = sorted(made.glob("*.mp4"))
    truth = made / "truth" / f"{videos[0].stem}.safetensors"
    before = MotionTrack.load(truth)
    videos[0].write_bytes(videos[0].read_bytes()[:100])
    synthesize(made, SETTINGS)
    assert rendered == [videos[0].stem]
    assert probe(videos[0]).frame_count == 5
    assert _without_sha(MotionTrack.load(truth)) == _without_sha(before)
    # Other settings are other clips.
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    synthesize(copy, SETTINGS.model_copy(update={"frames": 6, "clips": 1}))
    assert len(rendered) == 2
    assert [path.stem for path in copy.glob("*.mp4")] == [path.stem for path in copy.glob("truth/*")] == rendered[1:]


def test_two_processes_make_the_same_bytes(made: Path, tmp_path: Path) -> None:
    synthesize(tmp_path, SETTINGS.model_copy(update={"processes": 2, "clips": 2}))
    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.suffix in (".mp4", ".safetensors")]
    assert len(files) == 4
    assert len(list(tmp_path.rglob("*.*"))) == 5, "and the list"
    for file in files:
        assert sha256_file(tmp_path / file) == sha256_file(made / file), file


def test_speech_is_heard(made: Path) -> None:
    with (made / "clips.csv").open(newline="") as file:
        heard = {row["clip"]: row["category"] == "speech" for row in csv.DictReader(file)}
    assert True in heard.values()
    for clip, speaks in heard.items():
        assert probe(made / f"{clip}.mp4").has_audio == speaks


def _without_sha(track: MotionTrack) -> MotionTrack:
    return replace(track, source_sha256="")


def test_ingest_takes_the_set_as_it_is(made: Path, tmp_path: Path) -> None:
    rows = ingest_videos(made, tmp_path / "set", IngestSettings(min_frames=5, processes=1))
    assert [row.clip_id for row in rows] == sorted(path.stem for path in made.glob("*.mp4"))
    assert all(row.status == "kept" and row.synthetic and row.truth_track for row in rows)


def test_odd_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="odd"):
        synthesize(tmp_path, SETTINGS.model_copy(update={"size": 65}))
    assert list(tmp_path.iterdir()) == []
