"""Poisoned videos among good ones: each is refused with its reason in bounded time, and the rest goes on (F14)."""

import errno
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from dreamactor_core.children import spawn
from dreamactor_core.errors import StorageError
from dreamactor_core.manifest import ClipRow, read_manifest
from dreamactor_core.settings.ingest import IngestSettings
from dreamactor_core.video import decoder, probe, read_frames
from dreamactor_dataset.ingest import MANIFEST, ingest_videos, inspection, videos, writing

SETTINGS = IngestSettings(
    min_frames=5, processes=1, default_source="made", default_licence="CC0-1.0", default_consent="given"
)


def _ingest(folder: Path, output: Path, settings: IngestSettings = SETTINGS) -> dict[str, ClipRow]:
    return {row.clip_id: row for row in ingest_videos(folder, output, settings, report=lambda _: None)}


def _huge(path: Path, side_px: int) -> None:
    """A Matroska file whose track header states such a size; its frames are nonsense."""

    def element(identity: str, content: bytes) -> bytes:
        return bytes.fromhex(identity) + (len(content) | 1 << 56).to_bytes(8, "big") + content

    def number(value: int) -> bytes:
        return value.to_bytes(4, "big")

    header = element("1A45DFA3", element("4282", b"matroska"))
    picture = element("E0", element("B0", number(side_px)) + element("BA", number(side_px)))
    track = (
        element("D7", b"\x01") + element("73C5", b"\x01") + element("83", b"\x01") + element("86", b"V_MPEG4/ISO/ASP")
    )
    tracks = element("1654AE6B", element("AE", track + element("23E383", number(40_000_000)) + picture))
    info = element("1549A966", element("2AD7B1", number(1_000_000)) + element("4489", struct.pack(">d", 1000.0)))
    frames = b"".join(element("A3", b"\x81" + (40 * n).to_bytes(2, "big") + b"\x80" + b"\0" * 64) for n in range(10))
    path.write_bytes(header + element("18538067", info + tracks + element("1F43B675", element("E7", b"\0") + frames)))


def _remuxed(path: Path, source: Path, pauses: dict[int, int]) -> None:
    """The same frames, some shown later than an even rate demands."""
    with av.open(str(source)) as original, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(original.streams.video[0])
        ticks = int(1 / (25 * original.streams.video[0].time_base))
        shown = sorted(p.pts for p in original.demux(video=0) if p.pts is not None)
        late = {pts: ticks * sum(more for n, more in pauses.items() if n <= i) for i, pts in enumerate(shown)}
        original.seek(0)
        for packet in original.demux(video=0):
            if packet.dts is not None:
                packet.pts, packet.stream = packet.pts + late[packet.pts], stream
                out.mux(packet)


def _turned(path: Path, source: Path) -> None:
    """The same file with a quarter turn in its display matrix."""
    data = bytearray(source.read_bytes())
    plain, turn = (
        b"".join((value & 0xFFFFFFFF).to_bytes(4, "big") for value in matrix)
        for matrix in (
            (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000),
            (0, 0x10000, 0, -0x10000, 0, 0, 160 << 16, 0, 0x40000000),
        )
    )
    place = data.index(plain, data.index(b"tkhd"))
    data[place : place + 36] = turn
    path.write_bytes(data)


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory, write_clip: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("poisoned")
    good = write_clip(folder / "good.mp4", 12, shade=1)
    whole = good.read_bytes()
    (folder / "truncated.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    (folder / "no-frames.mp4").write_bytes(whole[: whole.index(b"mdat") + 4])
    boasting = bytearray(write_clip(folder / "boasting.mp4", 12, shade=2).read_bytes())
    count = boasting.index(b"stts") + 12
    boasting[count : count + 4] = (400).to_bytes(4, "big")
    (folder / "boasting.mp4").write_bytes(boasting)
    _huge(folder / "huge.mkv", 100_000)
    _huge(folder / "large.mkv", 12_000)
    _remuxed(folder / "uneven.mp4", write_clip(folder / ".cache" / "u.mp4", 12, shade=3), {4: 3, 9: 5})
    _turned(folder / "turned.mp4", write_clip(folder / ".cache" / "t.mp4", 12, shade=4))
    (folder / "playlist.mp4").write_text("#EXTM3U\n#EXTINF:1\nhttp://192.0.2.1/a.ts\n")
    (folder / "concat.mp4").write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    write_clip(folder / "later.mp4", 12, shade=5)
    return folder


def test_each_is_refused_with_its_reason_and_the_rest_goes_on(poisoned: Path, tmp_path: Path) -> None:
    rows = _ingest(poisoned, tmp_path / "set")
    kept = {name for name, row in rows.items() if row.status == "kept"}
    assert kept == {"good", "later", "uneven", "turned"}
    reasons = {
        "truncated": "cut short|damaged",
        "no-frames": "damaged|no frame",
        "boasting": "12 of 400 frames are there",
        "huge": "no frame size that can be decoded: none, or far too large",
        "large": "12000x12000 is too large",
        "playlist": "is a playlist",
        "concat": "is a playlist",
    }
    for name, reason in reasons.items():
        assert rows[name].status == "rejected"
        assert re.search(reason, str(rows[name].reason)), (name, rows[name].reason)
    assert read_manifest(tmp_path / "set" / MANIFEST) == sorted(rows.values(), key=lambda row: row.clip_id)


def test_uneven_and_turned_videos_come_out_even_and_upright(poisoned: Path, tmp_path: Path) -> None:
    rows = _ingest(poisoned, tmp_path / "set")
    uneven, turned = probe(tmp_path / "set" / rows["uneven"].video), probe(tmp_path / "set" / rows["turned"].video)
    assert (uneven.constant_rate, uneven.fps) == (True, 25)
    # Twelve frames and eight of pauses: what stood still is shown again, and nothing else is lost.
    assert uneven.frame_count == rows["uneven"].frame_count == 20
    levels = read_frames(tmp_path / "set" / rows["uneven"].video)[:, 2, 2, 0] / 8
    assert levels.round().astype(int).tolist() == [0, 1, 2, *[3] * 2, *[4] * 3, 5, 6, 7, *[8] * 3, *[9] * 4, 10, 11]
    assert (turned.rotation, turned.width, turned.height) == (0, 160, 96)


def test_a_decoder_that_hangs_is_given_up_at_the_deadline(
    write_clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_clip(tmp_path / "in" / "hangs.mp4", 12)
    write_clip(tmp_path / "in" / "lives.mp4", 12, shade=9)
    child = "import time; from dreamactor_core.video import decode_child as d; inspect = d.inspect; "
    child += "d.inspect = lambda path: time.sleep(600) if 'hangs.mp4' in path else inspect(path); d.main()"
    # One that is idle already would not hang.
    decoder._spare.end()
    monkeypatch.setattr(decoder, "spawn", lambda command, **how: spawn([command[0], "-c", child], **how))
    rows = _ingest(tmp_path / "in", tmp_path / "set", SETTINGS.model_copy(update={"frame_deadline_s": 5.0}))
    assert (rows["hangs"].status, rows["lives"].status) == ("rejected", "kept")
    assert rows["hangs"].reason == "the decoder gave nothing for 5 s and was stopped"


class _Deadly(writing.WriteJob):
    """Ends its process at one clip."""

    def run(self) -> Any:
        if self.finding.name == "deadly":
            os._exit(9)
        return super().run()


def test_a_process_that_dies_costs_its_own_video_and_it_is_tried_again(
    write_clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shade, name in enumerate(("deadly", "other", "third")):
        write_clip(tmp_path / "in" / f"{name}.mp4", 8, shade=shade)
    settings = SETTINGS.model_copy(update={"processes": 2})
    monkeypatch.setattr(videos, "WriteJob", _Deadly)
    rows = _ingest(tmp_path / "in", tmp_path / "set", settings)
    assert (rows["deadly"].status, rows["deadly"].reason) == ("rejected", "WorkerDied: its process ended with 9")
    assert rows["other"].status == rows["third"].status == "kept"
    monkeypatch.undo()
    assert {row.status for row in _ingest(tmp_path / "in", tmp_path / "set").values()} == {"kept"}


def test_what_is_known_of_a_video_is_not_asked_again(
    write_clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_clip(tmp_path / "in" / "a.mp4", 8)
    first = _ingest(tmp_path / "in", tmp_path / "set")
    asked = []
    monkeypatch.setattr(inspection, "open_video", lambda path, **how: asked.append(path))
    monkeypatch.setattr(writing, "sha256_file", lambda path: asked.append(path))
    (tmp_path / "set" / MANIFEST).unlink()
    assert _ingest(tmp_path / "in", tmp_path / "set") == first
    assert asked == []


_LIMITED = """
import resource, signal, sys
from pathlib import Path
from dreamactor_core.children import spawn
from dreamactor_core.errors import StorageError
from dreamactor_core.settings.ingest import IngestSettings
from dreamactor_dataset.ingest import ingest_videos
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    ingest_videos(sys.argv[1], Path(sys.argv[2]), IngestSettings.model_validate_json(sys.argv[4]))
except StorageError as error:
    sys.exit(error.line())
"""


def test_no_room_for_one_clip_keeps_the_older_set_and_does_the_rest(
    write_clip: Callable[..., Path], tmp_path: Path
) -> None:
    folder, output = tmp_path / "in", tmp_path / "set"
    write_clip(folder / "small.mp4", 6, shade=1)
    before = _ingest(folder, output)
    older = (output / MANIFEST).read_bytes()
    large = write_clip(folder / "large.mp4", 20, size=(960, 640), shade=2)
    write_clip(folder / "tiny.mp4", 8, shade=3)
    limit = large.stat().st_size - 1000
    # The kernel refuses a file larger than that, as it does when the disk is full.
    run = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(folder), str(output), str(limit), SETTINGS.model_dump_json()],
        capture_output=True, text=True,
    )  # fmt: skip
    assert "cannot be written (File too large). Make room and run it again" in run.stderr, run.stderr
    assert (output / MANIFEST).read_bytes() == older
    assert (output / before["small"].video).exists()
    assert len(list((output / "clips").glob("tiny-*.mp4"))) == 1
    assert not [path for path in output.rglob("*") if ".tmp" in path.name]
    after = _ingest(folder, output)
    assert {name: row.status for name, row in after.items()} == {"small": "kept", "large": "kept", "tiny": "kept"}


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="needs Linux' /dev/full")
def test_a_full_disk_is_a_typed_error(
    write_clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_clip(tmp_path / "in" / "a.mp4", 6)

    def full(source: Path, target: Path) -> None:
        with open("/dev/full", "wb", buffering=0) as device:  # noqa: PTH123 - the device answers ENOSPC
            device.write(source.read_bytes())

    monkeypatch.setattr(writing.shutil, "copyfile", full)
    with pytest.raises(StorageError, match="No space left on device") as caught:
        _ingest(tmp_path / "in", tmp_path / "set")
    assert caught.value.remedy is not None
    assert not (tmp_path / "set" / MANIFEST).exists()
    assert inspection.is_no_room(OSError(errno.ENOSPC, ""))
