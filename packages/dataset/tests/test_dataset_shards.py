"""Shards: whole or absent, found again, and told by name when they are damaged."""

import errno
import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import dreamactor_dataset.shards.archive
import numpy as np
import pytest
from dreamactor_core.errors import InputError, ManifestError, ShardError, StorageError
from dreamactor_core.manifest import ClipRow, write_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.dataset import SamplingDataSettings, ShardsSettings
from dreamactor_dataset.clip_set import ClipSet
from dreamactor_dataset.sampling import Draw, WindowSampler
from dreamactor_dataset.shards.archive import Place, ShardReader, write_shard
from dreamactor_dataset.shards.index import ShardIndex
from dreamactor_dataset.shards.loss import QUARANTINE, LossBudget, read_or_substitute
from dreamactor_dataset.shards.pack import pack_clips, verify_shards
from dreamactor_dataset.shards.record import pack_record
from safetensors.numpy import load

SAMPLING = SamplingDataSettings(min_frames=9, max_frames=17, area=64 * 96)
ARRAYS = {"latents": np.arange(24, dtype=np.float32).reshape(4, 2, 3)}
PIECES = {"pictures": [b"one", b"", b"three", b"fourth"]}
CLIPS = 5


def _write(folder: Path) -> tuple[ShardReader, dict[str, Place]]:
    data = pack_record(ARRAYS, PIECES)
    places, _ = write_shard(folder / "s.tar", [("first", data), ("second" * 30, data)])
    return ShardReader(folder, ("s.tar",)), places


def test_any_part_of_a_record_can_be_read_alone(tmp_path: Path) -> None:
    reader, places = _write(tmp_path)
    for clip_id, place in places.items():
        record = reader.record(0, place, clip_id)
        np.testing.assert_array_equal(record.rows("latents"), ARRAYS["latents"])
        np.testing.assert_array_equal(record.rows("latents", 1, 3), ARRAYS["latents"][1:3])
        assert [piece.tobytes() for piece in record.pieces("pictures", [3, 0, 1, 2])] == [
            b"fourth",
            b"one",
            b"",
            b"three",
        ]
        assert (record.count("pictures"), record.count("latents"), record.count("nothing")) == (4, 4, 0)
        with pytest.raises(ShardError, match="holds no nothing"):
            record.rows("nothing")
        with pytest.raises(ShardError, match="has 4 pieces of pictures, not the 4th"):
            record.pieces("pictures", [4])


def test_a_shard_is_a_plain_tar_of_plain_safetensors(tmp_path: Path) -> None:
    _write(tmp_path)
    with tarfile.open(tmp_path / "s.tar") as archive:
        assert archive.getnames() == ["first.safetensors", "second" * 30 + ".safetensors"]
        member = archive.extractfile("first.safetensors")
        assert member is not None
        np.testing.assert_array_equal(load(member.read())["latents"], ARRAYS["latents"])


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    _, places = _write(tmp_path)
    place = places["first"]
    whole = (tmp_path / "s.tar").read_bytes()
    for byte in range(place.offset, place.offset + place.size):
        damaged = bytearray(whole)
        damaged[byte] ^= 0x10
        (tmp_path / "s.tar").write_bytes(damaged)
        try:
            record = ShardReader(tmp_path, ("s.tar",)).record(0, place, "first")
            rows, pieces = record.rows("latents"), record.pieces("pictures", range(4))
        except ShardError:
            continue
        assert rows.tobytes() == ARRAYS["latents"].tobytes()
        assert [piece.tobytes() for piece in pieces] == PIECES["pictures"]


def test_a_shard_that_is_cut_short_or_gone_is_told(tmp_path: Path) -> None:
    _, places = _write(tmp_path)
    whole = (tmp_path / "s.tar").read_bytes()
    for size in range(places["first"].offset, places["first"].offset + places["first"].size, 7):
        (tmp_path / "s.tar").write_bytes(whole[:size])
        with pytest.raises(ShardError, match="clip first is cut short"):
            ShardReader(tmp_path, ("s.tar",)).record(0, places["first"], "first").rows("latents")
            ShardReader(tmp_path, ("s.tar",)).record(0, places["first"], "first").pieces("pictures", range(4))
    (tmp_path / "s.tar").unlink()
    with pytest.raises(ShardError, match=r"s\.tar: cannot be opened.*dreamactor dataset pack"):
        ShardReader(tmp_path, ("s.tar",)).record(0, places["first"], "first")


def _manifest(
    folder: Path,
    write_clip: Callable[..., Path],
    standing_person: Callable[..., MotionTrack],
    clip_row: Callable[..., ClipRow],
) -> Path:
    rows = []
    for number in range(CLIPS):
        video = write_clip(folder / f"clip-{number}.mp4", 17, shade=20 * number)
        standing_person(17).save(folder / f"{number}.track")
        split = "test" if number == CLIPS - 1 else "train"
        rows.append(clip_row(video, track=f"{number}.track", split=split, category="dance" if number else "film"))
    write_manifest(folder / "manifest.parquet", rows)
    return folder / "manifest.parquet"


@pytest.fixture(scope="module")
def manifest(
    tmp_path_factory: pytest.TempPathFactory,
    write_clip: Callable[..., Path],
    standing_person: Callable[..., MotionTrack],
    clip_row: Callable[..., ClipRow],
) -> Path:
    """Four training clips and a test clip of 17 frames."""
    return _manifest(tmp_path_factory.mktemp("clips"), write_clip, standing_person, clip_row)


def _pack(manifest: Path, output: Path, clips: int = 2) -> Path:
    return pack_clips(manifest, output, ShardsSettings(clips=clips), area=SAMPLING.area, report=lambda _: None)


@pytest.fixture(scope="module")
def packed(manifest: Path) -> Path:
    return _pack(manifest, manifest.parent / "shards")


@pytest.fixture
def index(packed: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    shutil.copytree(packed.parent, tmp_path / "shards")
    return tmp_path / "shards" / packed.name


def _files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_no_frame_lies_about_and_no_split_shares_a_shard(index: Path) -> None:
    suffixes = sorted(path.suffix for path in index.parent.iterdir())
    assert suffixes == [".arrow", *[".json"] * 3, *[".tar"] * 3]
    train, test = (ShardIndex.open(index, split) for split in ("train", "test"))
    assert [row.clip_id for row in train.rows] == [f"clip-{number}" for number in range(4)]
    assert [row.clip_id for row in test.rows] == ["clip-4"]
    assert {train.place(clip)[0] for clip in range(4)}.isdisjoint({test.place(0)[0]})


def test_packing_again_makes_nothing_new_and_equal_input_gives_equal_bytes(
    manifest: Path, index: Path, tmp_path: Path
) -> None:
    before = _files(index.parent)
    _pack(manifest, index.parent)
    after = _files(index.parent)
    assert {name: content for name, content in after.items() if name.endswith(".tar")} == {
        name: content for name, content in before.items() if name.endswith(".tar")
    }
    elsewhere = _files(_pack(manifest, tmp_path / "elsewhere").parent)
    assert {name: content for name, (content, _) in elsewhere.items()} == {
        name: content for name, (content, _) in before.items()
    }


def test_shards_of_other_settings_are_removed_and_damaged_ones_made_again(manifest: Path, index: Path) -> None:
    old = {path for path in index.parent.iterdir() if path.suffix == ".tar"}
    _pack(manifest, index.parent, clips=4)
    assert len(list(index.parent.glob("*.tar"))) == 2
    assert not old & {path for path in index.parent.iterdir() if path.name.startswith("train")}
    victim = next(index.parent.glob("train*.tar"))
    whole = victim.read_bytes()
    victim.write_bytes(whole[:-1000])
    assert len(verify_shards(index)) == 1
    _pack(manifest, index.parent, clips=4)
    assert victim.read_bytes() == whole
    assert verify_shards(index) == []


def test_a_full_disk_loses_nothing_and_the_rest_goes_on_later(
    manifest: Path, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = _files(index.parent)
    one_clip = max(len(content) for name, (content, _) in known.items() if name.startswith("test") and ".tar" in name)
    monkeypatch.setattr(dreamactor_dataset.shards.archive._DigestingFile, "write", _full_after(5 * one_clip // 2))
    with pytest.raises(StorageError, match=r"no space is left.*Free space and repeat"):
        pack_clips(manifest, tmp_path / "new", ShardsSettings(clips=1, threads=1), area=SAMPLING.area)
    finished = _files(tmp_path / "new")
    # Some shards are whole, and of the one that did not fit nothing is left.
    assert 0 < len(finished) < 2 * CLIPS
    assert {Path(name).suffix for name in finished} == {".tar", ".json"}
    # An older set is as it was.
    monkeypatch.setattr(dreamactor_dataset.shards.archive._DigestingFile, "write", _full_after(0))
    with pytest.raises(StorageError):
        pack_clips(manifest, index.parent, ShardsSettings(clips=3), area=SAMPLING.area)
    assert _files(index.parent) == known
    monkeypatch.undo()
    pack_clips(manifest, tmp_path / "new", ShardsSettings(clips=1, threads=1), area=SAMPLING.area)
    after = _files(tmp_path / "new")
    assert {name: after[name] for name in finished} == finished
    assert len(ClipSet.load(tmp_path / "new" / "clips.arrow", "train", SAMPLING)) == 4


def _full_after(allowed: int) -> Callable[..., int]:
    """A file's write that fails as a full disk does."""
    written = 0

    def write(self: object, data: bytes) -> int:
        nonlocal written
        written += len(data)
        if written > allowed:
            raise OSError(errno.ENOSPC, "No space left on device")
        return int(original(self, data))

    original = dreamactor_dataset.shards.archive._DigestingFile.write
    return write


def _damage(index: Path, clip: int) -> None:
    """Overwrite the pictures and tracks of a training clip."""
    opened = ShardIndex.open(index, "train")
    number, place = opened.place(clip)
    with (index.parent / opened.about.shards[number]).open("r+b") as file:
        file.seek(place.offset + place.size // 2, io.SEEK_SET)
        file.write(b"\0" * (place.size // 2))


def _run(index: Path, budget: LossBudget, clips: ClipSet, consumed: int = 0) -> list[tuple[Draw, bytes]]:
    sampler = WindowSampler(clips.table, SAMPLING, seed=0, batch_size=2)
    draws = [draw for number in range(consumed, 4) for draw in sampler.batch(number)]

    def read(draw: Draw) -> bytes:
        return clips.frames(draw.clip_index, range(draw.start, draw.start + draw.frame_count)).tobytes()

    return [read_or_substitute(draw, read, sampler, budget) for draw in draws]


def test_a_broken_clip_is_quarantined_by_name_and_the_run_goes_on(index: Path, tmp_path: Path) -> None:
    _damage(index, 1)
    clips = ClipSet.load(index, "train", SAMPLING)
    shown = _run(index, LossBudget(clips, 0.25, tmp_path), clips)
    assert {draw.clip_index for draw, _ in shown} == {0, 2, 3}
    assert LossBudget(clips, 0.25, tmp_path).lost() == {"clip-1"}
    (line,) = (tmp_path / QUARANTINE).read_text().splitlines()
    assert "clip clip-1 is damaged" in line
    # A resumed run, which knows of the loss, shows the same.
    resumed = _run(index, LossBudget(clips, 0.25, tmp_path), clips, consumed=2)
    assert resumed == shown[-len(resumed) :]
    assert len((tmp_path / QUARANTINE).read_text().splitlines()) == 1


def test_more_losses_than_the_budget_stop_the_run(index: Path, tmp_path: Path) -> None:
    _damage(index, 1)
    _damage(index, 2)
    clips = ClipSet.load(index, "train", SAMPLING)
    with pytest.raises(ShardError, match="2 of 4 clips cannot be read, 1 may be lost"):
        _run(index, LossBudget(clips, 0.01, tmp_path / "run"), clips)
    with pytest.raises(ShardError, match="1 of 4 clips cannot be read, 0 may be lost"):
        _run(index, LossBudget(clips, 0, tmp_path / "strict"), clips)


def test_wrong_or_empty_input_is_refused(manifest: Path, index: Path, tmp_path: Path) -> None:
    index.write_bytes(b"no arrow")
    with pytest.raises(ManifestError, match="not an index of shards"):
        ClipSet.load(index, "train", SAMPLING)
    with pytest.raises(InputError, match=r"no such file.*dreamactor dataset pack"):
        ClipSet.load(tmp_path / "clips.arrow", "train", SAMPLING)
    write_manifest(tmp_path / "empty.parquet", [])
    with pytest.raises(InputError, match="no kept clip with a motion track"):
        _pack(tmp_path / "empty.parquet", tmp_path / "nothing")
