"""Kept clips become files: whole videos as they are, the rest cut, turned upright and at an even rate."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from dreamactor_core.errors import InputError, StorageError
from dreamactor_core.files import atomic_path, sha256_file, write_json
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.ingest import IngestSettings
from dreamactor_core.video import VideoWriter, open_video
from pydantic import BaseModel, ConfigDict, ValidationError

from dreamactor_dataset.ingest.inspection import Finding, Record, is_no_room, no_room, notebook_path, read_record
from dreamactor_dataset.ingest.pieces import Piece
from dreamactor_dataset.ingest.places import join, local_copy

CLIPS, TRUTH = "clips", "truth"
# Another one when the same frames would be written otherwise.
_VERSION = 2


class Written(BaseModel):
    """A clip's file, and that of its true track if one is stated."""

    model_config = ConfigDict(frozen=True)

    video: str
    truth: str | None
    sha256: str
    width: int
    height: int
    fps: str
    frame_count: int


@dataclass(frozen=True)
class WriteJob:
    """The kept clips of one video.

    Attributes:
        pieces: all of one video, in the order of its shots.
        root: true tracks are relative to it.
        output: the data set's folder.
    """

    pieces: tuple[Piece, ...]
    root: str
    output: Path
    settings: IngestSettings

    @property
    def finding(self) -> Finding:
        """The video they are cut from."""
        return self.pieces[0].finding

    def done(self) -> dict[str, Written]:
        """What an earlier run has written of them, by clip id."""
        try:
            noted = json.loads(self._notebook.read_text())
            known = {name: Written.model_validate(value) for name, value in noted.items()}
        except (OSError, ValueError, ValidationError):
            return {}
        return {
            piece.clip_id: known[piece.clip_id]
            for piece in self.pieces
            if piece.clip_id in known and self._still_holds(piece, known[piece.clip_id])
        }

    def run(self) -> dict[str, Written] | InputError | StorageError:
        """Write what is missing; each file is whole or absent."""
        written = self.done()
        missing = [piece for piece in self.pieces if piece.clip_id not in written]
        try:
            with local_copy(self.finding.url, self.output) as path:
                if sha256_file(path) != self.finding.sha256:
                    return InputError("the video has changed while it was ingested", path=path)
                for made in self._write(path, missing):
                    written |= made
                    write_json(self._notebook, {name: value.model_dump() for name, value in written.items()})
        except InputError as error:
            return error
        except OSError as error:
            if not is_no_room(error):
                return InputError(f"cannot be read ({error.strerror})", path=self.finding.url)
            return no_room(error, self.output)
        return written

    def _still_holds(self, piece: Piece, written: Written) -> bool:
        """Whether what was written is there and is what would be written now: a true track may have been made anew."""
        if written.video != clip_file(piece) or not (self.output / written.video).exists():
            return False
        place = piece.notes.truth_track
        if place is None:
            return written.truth is None
        try:
            with local_copy(join(self.root, place.as_posix()), self.output) as path:
                truth = truth_file(piece, path)
        except InputError:
            # Whoever writes it says what is wrong with it.
            return False
        return written.truth == truth and (self.output / truth).exists()

    @property
    def _notebook(self) -> Path:
        return notebook_path(self.output, self.finding.name)

    def _write(self, path: Path, pieces: Sequence[Piece]) -> Iterator[dict[str, Written]]:
        record = read_record(self.output, self.finding)
        truths = {piece.clip_id: self._write_truth(piece, record) for piece in pieces}
        if pieces and pieces[0].as_it_is:
            yield {pieces[0].clip_id: self._take_whole(path, pieces[0], truths[pieces[0].clip_id])}
        else:
            yield from self._cut(path, pieces, record, truths)

    def _take_whole(self, path: Path, piece: Piece, truth: str | None) -> Written:
        target, info = self.output / clip_file(piece), piece.finding.video_info
        assert info is not None  # what has no info is never kept
        place_file(path, target, hard_link=self.settings.hard_link)
        return Written(
            video=clip_file(piece),
            truth=truth,
            sha256=piece.finding.sha256,
            width=info.width,
            height=info.height,
            fps=str(info.fps),
            frame_count=info.frame_count,
        )

    def _cut(
        self, path: Path, pieces: Sequence[Piece], record: Record, truths: Mapping[str, str | None]
    ) -> Iterator[dict[str, Written]]:
        """The video is decoded once, whatever number of clips comes of it."""
        shots = [piece.shot for piece in pieces if piece.shot is not None]
        wanted = [int(frame) for shot in shots for frame in record.timeline.frames[shot.start : shot.end]]
        with open_video(path, indices=wanted, deadline_s=self.settings.frame_deadline_s) as video:
            # H.264 stores colour at half resolution: an odd row or column goes.
            width, height = video.info.width // 2 * 2, video.info.height // 2 * 2
            frames = iter(video)
            for piece, shot in zip(pieces, shots, strict=True):
                target = self.output / clip_file(piece)
                with VideoWriter(
                    target,
                    record.timeline.fps,
                    size=(width, height),
                    audio_from=path if video.info.has_audio else None,
                    audio_start_s=float(record.timeline.times_s[shot.start]),
                ) as writer:
                    for _ in range(len(shot)):
                        writer.write(next(frames)[:height, :width])
                yield {
                    piece.clip_id: Written(
                        video=clip_file(piece),
                        truth=truths[piece.clip_id],
                        sha256=sha256_file(target),
                        width=width,
                        height=height,
                        fps=str(record.timeline.fps),
                        frame_count=len(shot),
                    )
                }

    def _write_truth(self, piece: Piece, record: Record) -> str | None:
        """Its true track, if one is stated; returns where it lies."""
        if piece.notes.truth_track is None or piece.shot is None:
            return None
        with local_copy(join(self.root, piece.notes.truth_track.as_posix()), self.output) as path:
            target = truth_file(piece, path)
            if piece.as_it_is:
                place_file(path, self.output / target, hard_link=self.settings.hard_link)
                return target
            track = MotionTrack.load(path)
            frames = record.timeline.frames[piece.shot.start : piece.shot.end]
            replace(track[frames], fps=record.timeline.fps).save(self.output / target)
        return target


def clip_file(piece: Piece) -> str:
    """Where a kept clip lies in the data set. Another content has another name: an older manifest stays true."""
    if piece.as_it_is:
        suffix = PurePosixPath(piece.finding.place).suffix.lower()
        return f"{CLIPS}/{piece.clip_id}-{piece.finding.sha256[:8]}{suffix}"
    return f"{CLIPS}/{piece.clip_id}-{_content(piece)}.mp4"


def truth_file(piece: Piece, truth: Path) -> str:
    """Where a kept clip's true track lies in the data set; another content has another name.

    Args:
        truth: the track as it is stated.
    """
    return f"{TRUTH}/{piece.clip_id}-{_content(piece, sha256_file(truth))}.safetensors"


def _content(piece: Piece, truth_sha256: str = "") -> str:
    cause = f"{_VERSION} {piece.finding.sha256} {piece.finding.fps} {piece.shot} {truth_sha256}"
    return hashlib.sha256(cause.encode()).hexdigest()[:8]


def place_file(source: Path, target: Path, *, hard_link: bool) -> None:
    """A copy of the file, or a second name for it.

    Raises:
        InputError: it cannot be linked.
        OSError: it cannot be copied.
    """
    with atomic_path(target) as temporary:
        if not hard_link:
            shutil.copyfile(source, temporary)
            return
        try:
            os.link(source.resolve(), temporary)
        except OSError as error:
            raise InputError(
                f"cannot be linked into the data set ({error.strerror})",
                path=source,
                remedy="Set dataset.ingest.hard_link to false",
            ) from error
