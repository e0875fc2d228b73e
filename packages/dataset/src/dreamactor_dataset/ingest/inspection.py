"""What a video is, where it cuts and how its clips look, or why it cannot be read. One job a video, remembered.

Legend: T frames of the video, N frames of its even timeline, M shots, K pictures of a shot's look, S their side.
"""

import errno
import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from dreamactor_core.errors import InputError, StorageError
from dreamactor_core.files import load_tensors, save_tensors, sha256_file
from dreamactor_core.settings.ingest import IngestSettings
from dreamactor_core.video import VideoInfo, open_video, read_frame_times_s
from pydantic import BaseModel, ConfigDict

from dreamactor_dataset.ingest.discovery import SourceVideo
from dreamactor_dataset.ingest.looks.pictures import look_of, small_picture
from dreamactor_dataset.ingest.places import local_copy
from dreamactor_dataset.ingest.shots import CutFinder, Shot
from dreamactor_dataset.ingest.timeline import Timeline, even_timeline

RECORDS = "records"
# Another one when the same video would be seen otherwise.
_VERSION = 1
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


class Finding(BaseModel):
    """A video that was looked at.

    Attributes:
        name, place, url: as it was found.
        sha256: of its bytes; empty where they cannot be had.
        info: as `VideoInfo.to_json`; None where it cannot be decoded.
        fps: of its even timeline.
        as_it_is: whether the video is even, upright and slow enough, so that all of it can be taken without encoding.
        shots: start and end of each on the timeline.
        problem: why it cannot be read.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    place: str
    url: str
    sha256: str = ""
    info: dict[str, object] | None = None
    fps: str = "0"
    as_it_is: bool = False
    shots: tuple[tuple[int, int], ...] = ()
    problem: str | None = None

    @property
    def video_info(self) -> VideoInfo | None:
        """What the decoder says of it."""
        return None if self.info is None else VideoInfo.from_json(dict(self.info))

    @property
    def rate(self) -> Fraction:
        """Frames a second of its timeline."""
        return Fraction(self.fps)


@dataclass(frozen=True, eq=False)
class Record:
    """What is remembered of a video beside its finding.

    Attributes:
        timeline: its N frames.
        looks: (M, K, S, S) uint8.
    """

    timeline: Timeline
    looks: np.ndarray


@dataclass(frozen=True)
class InspectJob:
    """A video to be looked at.

    Attributes:
        output: the data set's folder; the record is kept there.
    """

    video: SourceVideo
    settings: IngestSettings
    output: Path

    def done(self) -> Finding | None:
        """The finding of an earlier run, if neither the video nor the settings have changed since."""
        path = record_path(self.output, self.video.name)
        if not self.video.version or not path.exists():
            return None
        try:
            _, header = load_tensors(path)
            return Finding.model_validate(header["finding"]) if header["key"] == self._key() else None
        except (InputError, KeyError, ValueError):
            # Cut short or of another version: the video is looked at again.
            return None

    def run(self) -> Finding | StorageError:
        """Look at it. What is wrong with it becomes the finding's problem; a full disk says nothing about it."""
        found = {"name": self.video.name, "place": self.video.place, "url": self.video.url}
        try:
            with local_copy(self.video.url, self.output) as path:
                found["sha256"] = sha256_file(path)
                return self._inspect(path, found)
        except InputError as error:
            return Finding(**found, problem=error.problem)
        except OSError as error:
            if is_no_room(error):
                return no_room(error, self.output)
            return Finding(**found, problem=f"cannot be read ({error.strerror})")

    def _inspect(self, path: Path, found: dict[str, str]) -> Finding:
        deadline_s = self.settings.frame_deadline_s
        with open_video(path, deadline_s=deadline_s) as video:
            info = video.info
            times_s = None if info.constant_rate else read_frame_times_s(path, deadline_s=deadline_s)
            timeline = even_timeline(info, times_s, self.settings.max_fps)
            finder, pictures = CutFinder(timeline.fps, self.settings.cut_contrast), []
            for frame in video.take(timeline.frames.tolist()):
                finder.add(frame)
                pictures.append(small_picture(frame))
        shots = finder.shots(self.settings.max_frames)
        finding = Finding(
            **found,
            info=info.to_json(),
            fps=str(timeline.fps),
            as_it_is=info.constant_rate and not info.rotation and timeline.fps == info.fps,
            shots=tuple((shot.start, shot.end) for shot in shots),
        )
        self._remember(finding, Record(timeline, np.stack([look_of(pictures[s.start : s.end]) for s in shots])))
        return finding

    def _remember(self, finding: Finding, record: Record) -> None:
        tensors = {"looks": record.looks, "frames": record.timeline.frames, "times_s": record.timeline.times_s}
        header = {"key": self._key(), "finding": finding.model_dump(mode="json")}
        save_tensors(record_path(self.output, self.video.name), tensors, header)

    def _key(self) -> str:
        shaping = self.settings.model_dump(mode="json", include={"max_frames", "max_fps", "cut_contrast"})
        cause = f"{_VERSION} {self.video.url} {self.video.version} {sorted(shaping.items())}"
        return hashlib.sha256(cause.encode()).hexdigest()


def record_path(output: Path, name: str) -> Path:
    """Where the record of a video is kept."""
    return output / RECORDS / f"{name}.safetensors"


def notebook_path(output: Path, name: str) -> Path:
    """Where is kept which clips of a video have been written."""
    return output / RECORDS / f"{name}.written.json"


def record_files(output: Path, name: str) -> tuple[Path, Path]:
    """Both."""
    return record_path(output, name), notebook_path(output, name)


def read_record(output: Path, finding: Finding) -> Record:
    """What is remembered of a video that could be read."""
    tensors, _ = load_tensors(record_path(output, finding.name))
    return Record(Timeline(finding.rate, tensors["frames"], tensors["times_s"]), tensors["looks"])


def shots_of(finding: Finding) -> list[Shot]:
    """The shots of a video."""
    return [Shot(start, end) for start, end in finding.shots]


def no_room(error: OSError, place: Path) -> StorageError:
    """The typed form of a disk that is full or may not be written."""
    return StorageError(
        f"cannot be written ({error.strerror})",
        path=place,
        remedy="Make room and run it again: what is finished stays",
    )


def is_no_room(error: OSError) -> bool:
    """Whether it is the disk's fault."""
    return error.errno in _NO_ROOM
