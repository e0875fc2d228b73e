"""What a video is, or why it cannot be read."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dreamactor_core.console import progress
from dreamactor_core.errors import InputError
from dreamactor_core.files import sha256_file
from dreamactor_core.video import VideoInfo, probe

from dreamactor_dataset.ingest.clip_list import ClipNotes


@dataclass(frozen=True)
class Finding:
    """A video that was looked at.

    Attributes:
        path: where it lies.
        notes: what is stated of it.
        sha256: of its bytes; empty where they cannot be read.
        info: None where it cannot be decoded.
        problem: why not.
    """

    clip_id: str
    path: Path
    notes: ClipNotes
    sha256: str
    info: VideoInfo | None
    problem: str | None

    @property
    def identity(self) -> str:
        """Who is seen: as stated; else the content stands for a person of its own, whatever the file is called."""
        return self.notes.identity or f"unknown-{self.sha256[:16] or self.clip_id}"


def inspect_clips(clips: Mapping[str, Path], notes: Mapping[str, ClipNotes], *, threads: int) -> list[Finding]:
    """Look at every clip, in order. A video that hangs, lies or is damaged becomes a finding, never an error."""

    def inspect(clip_id: str) -> Finding:
        return _inspect(clip_id, clips[clip_id], notes[clip_id])

    # Probing waits for child processes, so threads are enough to use the cores.
    with ThreadPoolExecutor(threads) as pool:
        return list(progress(pool.map(inspect, clips), "Inspecting videos", len(clips)))


def _inspect(clip_id: str, path: Path, notes: ClipNotes) -> Finding:
    sha256 = ""
    try:
        sha256 = sha256_file(path)
        return Finding(clip_id, path, notes, sha256, probe(path), None)
    except InputError as error:
        return Finding(clip_id, path, notes, sha256, None, error.problem)
    except OSError as error:
        return Finding(clip_id, path, notes, sha256, None, f"cannot be read ({error.strerror})")
