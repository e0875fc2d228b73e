"""A folder of videos becomes a data set: what is kept, what is not and why, and that nothing is half-written."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dreamactor_core.errors import InputError
from dreamactor_core.files import sha256_file
from dreamactor_core.manifest import ClipRow, read_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.dataset import IngestSettings
from dreamactor_dataset.ingest import ingest_videos

SETTINGS = IngestSettings(min_frames=5, processes=1, default_source="made")
PERMISSIVE = IngestSettings(
    min_frames=5, processes=1, default_source="made", default_licence="CC0-1.0", default_consent="given"
)


def _quietly(folder: Path, output: Path, settings: IngestSettings = PERMISSIVE) -> dict[str, ClipRow]:
    return {row.clip_id: row for row in ingest_videos(folder, output, settings, report=lambda _: None)}


@pytest.fixture(scope="module")
def footage(
    tmp_path_factory: pytest.TempPathFactory,
    write_clip: Callable[..., Path],
    standing_person: Callable[..., MotionTrack],
) -> Path:
    """Good, unlicensed, doubled, short, damaged and false videos with a clips.csv."""
    folder = tmp_path_factory.mktemp("footage")
    good = write_clip(folder / "good.mp4", 9)
    write_clip(folder / "talks" / "nested one.MP4", 9, shade=20)
    write_clip(folder / "orphan.mp4", 9, shade=40)
    write_clip(folder / "short.mp4", 3)
    (folder / "twin.mp4").write_bytes(good.read_bytes())
    (folder / "cut.mp4").write_bytes(good.read_bytes()[:-400])
    (folder / "words.mp4").write_text("not a video at all\n")
    (folder / "empty.mov").touch()
    (folder / "notes.txt").write_text("passed over")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "secret.mp4").write_bytes(good.read_bytes())
    standing_person(9).save(folder / "tracks" / "good.safetensors")
    (folder / "clips.csv").write_text(
        "clip,identity,licence,consent,category,split,truth_track,synthetic\n"
        "good,ada,CC0-1.0,given,speech,val,tracks/good.safetensors,true\n"
        "talks__nested one,ada,CC-BY-4.0,given,,,,\n"
        "twin,ada,CC0-1.0,given,,,,\n"
        "short,ben,CC0-1.0,given,,,,\n"
        "orphan,ben,CC0-1.0,,,,,\n"
    )
    return folder


def test_every_clip_gets_a_row_and_those_not_kept_a_reason(footage: Path, tmp_path: Path) -> None:
    rows = _quietly(footage, tmp_path / "set", SETTINGS)
    reasons = {row.clip_id: (row.status, row.reason) for row in rows.values()}
    assert reasons["good"] == reasons["talks__nested one"] == ("kept", None)
    assert reasons["twin"] == ("rejected", "exact duplicate of good")
    assert reasons["short"] == ("rejected", "too short: 3 frames, at least 5 are needed")
    assert reasons["orphan"] == ("quarantined", "no consent stated")
    assert reasons["empty"] == ("rejected", "the file is empty")
    assert reasons["cut"][0] == reasons["words"][0] == "rejected"
    assert reasons["cut"][1]
    assert reasons["words"][1]
    assert len(rows) == 8


def test_kept_clips_are_whole_and_carry_what_is_stated(footage: Path, tmp_path: Path) -> None:
    _quietly(footage, tmp_path / "set", SETTINGS)
    rows = {row.clip_id: row for row in read_manifest(tmp_path / "set" / "manifest.parquet")}
    good, nested = rows["good"], rows["talks__nested one"]
    assert (good.width, good.height, good.fps, good.frame_count) == (96, 160, 25, 9)
    assert (good.identity, good.category, good.licence, good.synthetic) == ("ada", "speech", "CC0-1.0", True)
    assert sha256_file(tmp_path / "set" / good.video) == good.sha256 == sha256_file(footage / "good.mp4")
    assert len(MotionTrack.load(tmp_path / "set" / str(good.truth_track))) == 9
    assert nested.video == f"clips/talks__nested one-{nested.sha256[:8]}.mp4"
    assert nested.source_video == "talks/nested one.MP4"
    # A person's clips follow the one split that is stated.
    assert good.split == nested.split == "val"
    assert good.group == nested.group == "ada"
    assert {path.name for path in (tmp_path / "set" / "clips").iterdir()} == {
        Path(row.video).name for row in (good, nested)
    }


def test_equal_input_gives_equal_bytes_and_replaces_the_older_set(footage: Path, tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two", "one"):
        _quietly(footage, tmp_path / name, SETTINGS)
        data = (path for path in (tmp_path / name).rglob("*") if "records" not in path.parts)
        files = sorted(path for path in data if path.is_file())
        digests.append([(path.relative_to(tmp_path / name), sha256_file(path)) for path in files])
        (tmp_path / name / "clips" / "left-over.mp4").touch()
    assert digests[0] == digests[1] == digests[2]
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}


def test_a_default_licence_frees_what_states_none_and_a_later_twin_may_stand_in(
    write_clip: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    first = write_clip(folder / "a.mp4", 6)
    (folder / "b.mp4").write_bytes(first.read_bytes())
    (folder / "clips.csv").write_text("clip,licence,consent\nb,CC0-1.0,given\n")
    rows = _quietly(folder, tmp_path / "strict", SETTINGS)
    assert (rows["a"].status, rows["b"].status) == ("quarantined", "kept")
    rows = _quietly(folder, tmp_path / "permissive")
    assert (rows["a"].status, rows["b"].status) == ("kept", "rejected")
    # Unnamed people are told apart by what the files hold, not by what they are called.
    assert rows["a"].identity == rows["b"].identity


def test_clips_can_be_linked_instead_of_copied(write_clip: Callable[..., Path], tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "in" / "a.mp4", 6)
    rows = _quietly(tmp_path / "in", tmp_path / "set", PERMISSIVE.model_copy(update={"hard_link": True}))
    assert clip.samefile(tmp_path / "set" / rows["a"].video)


def test_the_report_counts_and_gives_reasons(footage: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    ingest_videos(footage, tmp_path / "set", SETTINGS, report=lines.append)
    text = "\n".join(lines)
    assert "kept             2  (0 train, 2 val, 0 test)" in text
    assert "rejected         5" in text
    assert "orphan" in text
    assert "no consent stated" in text


def test_a_wrong_true_track_rejects_its_clip_alone(
    write_clip: Callable[..., Path], standing_person: Callable[..., MotionTrack], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    for shade, name in enumerate(("whole", "longer", "absent", "outside")):
        write_clip(folder / f"{name}.mp4", 6, shade=shade * 30)
    standing_person(6).save(folder / "whole.safetensors")
    standing_person(7).save(folder / "longer.safetensors")
    standing_person(6).save(tmp_path / "elsewhere.safetensors")
    (folder / "clips.csv").write_text(
        "clip,truth_track\nwhole,whole.safetensors\nlonger,longer.safetensors\n"
        "absent,absent.safetensors\noutside,../elsewhere.safetensors\n"
    )
    rows = _quietly(folder, tmp_path / "set")
    assert rows["whole"].status == "kept"
    assert rows["longer"].reason == "true track: has 7 frames, the video 6"
    assert rows["absent"].reason == "true track: no such file"
    assert rows["outside"].reason == "true track: lies outside the folder"


def test_a_true_track_that_was_made_anew_is_taken_anew_and_its_video_is_not_read_again(
    write_clip: Callable[..., Path], standing_person: Callable[..., MotionTrack], tmp_path: Path
) -> None:
    folder, truth = tmp_path / "in", tmp_path / "in" / "one.safetensors"
    write_clip(folder / "one.mp4", 6)
    track = standing_person(6)
    track.save(truth)
    (folder / "clips.csv").write_text("clip,truth_track\none,one.safetensors\n")
    before = _quietly(folder, tmp_path / "set")["one"]
    assert _quietly(folder, tmp_path / "set")["one"] == before
    scenery = np.repeat(np.eye(2, 3)[None], 6, axis=0)
    anew = replace(track, scenery_motion=scenery)
    anew.save(truth)
    after = _quietly(folder, tmp_path / "set")["one"]
    assert MotionTrack.load(tmp_path / "set" / str(after.truth_track)) == anew
    assert after.truth_track != before.truth_track
    assert after.video == before.video
    assert not (tmp_path / "set" / str(before.truth_track)).exists()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("clip,colour\na,red\n", "unknown column 'colour'"),
        ("identity\nada\n", "column clip"),
        ("clip,split\na,training\n", "column split"),
        ("clip,identity\na,ada\na,ben\n", "stands twice"),
        ("clip,identity\nz,ada\n", "is not among the videos"),
        ("clip,identity\na,ada,ben\n", "more fields than the header"),
        ("clip,identity,split\na,ada,train\nb,ada,test\n", "two splits"),
    ],
)
def test_a_contradictory_clip_list_is_refused(
    content: str, problem: str, write_clip: Callable[..., Path], tmp_path: Path
) -> None:
    write_clip(tmp_path / "in" / "a.mp4", 6)
    write_clip(tmp_path / "in" / "b.mp4", 6, shade=50)
    (tmp_path / "in" / "clips.csv").write_text(content)
    with pytest.raises(InputError, match=problem):
        _quietly(tmp_path / "in", tmp_path / "set")
    assert not (tmp_path / "set" / "manifest.parquet").exists()


def test_folders_that_cannot_be_used_are_refused(write_clip: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        _quietly(tmp_path / "nowhere", tmp_path / "set")
    (tmp_path / "void").mkdir()
    with pytest.raises(InputError, match="holds no video"):
        _quietly(tmp_path / "void", tmp_path / "set")
    write_clip(tmp_path / "in" / "a.mp4", 6)
    with pytest.raises(InputError, match="none of 1 clips can be kept .*no licence and no consent"):
        _quietly(tmp_path / "in", tmp_path / "set", SETTINGS)
    for output in (tmp_path / "in" / "set", tmp_path):
        with pytest.raises(InputError, match="lie in each other"):
            _quietly(tmp_path / "in", output)
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.jpg").touch()
    with pytest.raises(InputError, match="not a data set"):
        _quietly(tmp_path / "in", tmp_path / "holiday")
    assert (tmp_path / "holiday" / "photo.jpg").exists()
    assert not (tmp_path / "set" / "manifest.parquet").exists()


def test_names_that_differ_in_their_ending_only_stay_apart(write_clip: Callable[..., Path], tmp_path: Path) -> None:
    write_clip(tmp_path / "in" / "a.mp4", 6)
    (tmp_path / "in" / "a.mov").write_bytes(write_clip(tmp_path / "other.mp4", 6, shade=70).read_bytes())
    rows = _quietly(tmp_path / "in", tmp_path / "set")
    assert sorted(rows) == ["a.mov", "a.mp4"]
    assert {row.status for row in rows.values()} == {"kept"}
