"""Every clip that may come of a video: one for each shot, or the video itself where it cannot be read."""

from dataclasses import dataclass

from dreamactor_dataset.ingest.clip_list import ClipNotes
from dreamactor_dataset.ingest.inspection import Finding, shots_of
from dreamactor_dataset.ingest.shots import Shot


@dataclass(frozen=True)
class Piece:
    """A clip that may be.

    Attributes:
        clip_id: the video's name; with the number of the shot where it has several.
        number: of the shot within the video.
        shot: None where the video cannot be read.
    """

    clip_id: str
    finding: Finding
    notes: ClipNotes
    number: int = 0
    shot: Shot | None = None

    @property
    def identity(self) -> str:
        """Who is seen: as stated; else the content stands for a person of its own, whatever the file is called."""
        return self.notes.identity or f"unknown-{self.finding.sha256[:16] or self.finding.name}"

    @property
    def frame_count(self) -> int:
        """Of the clip, at the even rate."""
        if self.shot is not None:
            return len(self.shot)
        return 0

    @property
    def as_it_is(self) -> bool:
        """Whether the video can be taken whole."""
        return self.finding.as_it_is and len(self.finding.shots) == 1


def pieces_of(finding: Finding, notes: ClipNotes) -> list[Piece]:
    """The clips of a video, in the order of its shots."""
    shots = shots_of(finding)
    if finding.problem is not None or not shots:
        return [Piece(finding.name, finding, notes)]
    if len(shots) == 1:
        return [Piece(finding.name, finding, notes, 0, shots[0])]
    return [Piece(f"{finding.name}.{number:04}", finding, notes, number, shot) for number, shot in enumerate(shots)]
