"""Kept, rejected or quarantined: each clip's verdict, with the reason. Copies are found here, exact and alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from dreamactor_core.errors import DreamactorError
from dreamactor_core.manifest import Status
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.ingest import IngestSettings

from dreamactor_dataset.ingest.inspection import read_record
from dreamactor_dataset.ingest.looks.pictures import digest
from dreamactor_dataset.ingest.looks.search import Candidate, find_lookalikes
from dreamactor_dataset.ingest.pieces import Piece
from dreamactor_dataset.ingest.places import join, local_copy
from dreamactor_dataset.ingest.splits import Ties, connected_groups


@dataclass(frozen=True)
class Verdict:
    """What becomes of a piece.

    Attributes:
        look: the clip that stands for all that look like this one; its own id where none does.
    """

    status: Status
    reason: str | None
    look: str


def judge_pieces(pieces: Sequence[Piece], root: str, output: Path, settings: IngestSettings) -> list[Verdict]:
    """A verdict for each piece, in order.

    Args:
        root: true tracks are relative to it.
        output: the data set's folder, where the videos' records lie.
    """
    alone = [_own_verdict(piece, root, output, settings) for piece in pieces]
    kept = [index for index, (status, _) in enumerate(alone) if status == "kept"]
    exact = _exact_copies(pieces, kept)
    candidates = [index for index in kept if index not in exact]
    best = _best_lookalikes(pieces, candidates, output, settings)
    verdicts = []
    for index, piece in enumerate(pieces):
        status, reason = alone[index]
        look = pieces[best[index]].clip_id if index in best else piece.clip_id
        if index in exact:
            look = exact[index]
            status, reason = "rejected", f"exact duplicate of {look}"
        elif best.get(index, index) != index:
            status, reason = "rejected", f"looks the same as {look}"
        verdicts.append(Verdict(status, reason, look))
    return verdicts


def permission(piece: Piece, settings: IngestSettings) -> Mapping[str, str | None]:
    """Source, licence and consent of a clip, as stated or as the settings say for all."""
    return {
        "source": piece.notes.source or settings.default_source,
        "licence": piece.notes.licence or settings.default_licence,
        "consent": piece.notes.consent or settings.default_consent,
    }


def _own_verdict(piece: Piece, root: str, output: Path, settings: IngestSettings) -> tuple[Status, str | None]:
    """What can be said of a piece without the others."""
    if piece.shot is None:
        return "rejected", piece.finding.problem
    if piece.finding.rate < settings.min_fps:
        return "rejected", f"too slow: {float(piece.finding.rate):.3g} frames a second, at least {settings.min_fps:g}"
    if piece.frame_count < settings.min_frames:
        return "rejected", f"too short: {piece.frame_count} frames, at least {settings.min_frames} are needed"
    if missing := [name for name, value in permission(piece, settings).items() if value is None]:
        return "quarantined", f"no {' and no '.join(missing)} stated"
    problem = _truth_problem(piece, root, output)
    return ("rejected", problem) if problem else ("kept", None)


def _exact_copies(pieces: Sequence[Piece], kept: Sequence[int]) -> dict[int, str]:
    """The clips whose bytes stand earlier among those kept, and whose. A copy may be kept for what the first lacks."""
    first: dict[tuple[str, int], str] = {}
    copies = {}
    for index in kept:
        piece = pieces[index]
        original = first.setdefault((piece.finding.sha256, piece.number), piece.clip_id)
        if original != piece.clip_id:
            copies[index] = original
    return copies


def _best_lookalikes(
    pieces: Sequence[Piece], candidates: Sequence[int], output: Path, settings: IngestSettings
) -> dict[int, int]:
    """For each candidate the one that is kept of those that look like it: of the most pixels, then the longest."""
    pairs = find_lookalikes(
        _candidates([pieces[index] for index in candidates], output),
        bits=settings.lookalike_bits,
        least_likeness=settings.lookalike_likeness,
    )
    # A pair is a tie like any other: what is tied by any chain of pairs is one look.
    ties = [Ties(str(index)) for index in candidates]
    bonds = [Ties(str(candidates[first]), video=str(candidates[second])) for first, second in pairs]
    bonds += [Ties(str(candidates[second]), video=str(candidates[second])) for _, second in pairs]
    groups = connected_groups([*ties, *bonds])[: len(candidates)]
    members: dict[int, list[int]] = {}
    for index, group in zip(candidates, groups, strict=True):
        members.setdefault(group, []).append(index)
    best = {group: min(indices, key=lambda index: _rank(pieces[index])) for group, indices in members.items()}
    return {index: best[group] for index, group in zip(candidates, groups, strict=True)}


def _rank(piece: Piece) -> tuple[int, int, str]:
    info = piece.finding.video_info
    return (-(info.width * info.height if info else 0), -piece.frame_count, piece.clip_id)


def _candidates(pieces: Sequence[Piece], output: Path) -> list[Candidate]:
    """What is compared of each piece; the records of a video are read once."""
    made: list[Candidate] = []
    looks: tuple[str, np.ndarray] = ("", np.empty(0))
    for piece in pieces:
        if piece.finding.name != looks[0]:
            looks = piece.finding.name, read_record(output, piece.finding).looks
        made.append(
            Candidate(
                digest(looks[1][piece.number]),
                float(piece.frame_count / piece.finding.rate),
                piece.finding.name,
                partial(_look, piece, output),
            )
        )
    return made


def _look(piece: Piece, output: Path) -> np.ndarray:
    look: np.ndarray = read_record(output, piece.finding).looks[piece.number]
    return look


def _truth_problem(piece: Piece, root: str, output: Path) -> str | None:
    """What is wrong with the true track, if one is stated."""
    place, info = piece.notes.truth_track, piece.finding.video_info
    if place is None or info is None:
        return None
    if place.is_absolute() or ".." in PurePosixPath(place).parts:
        return "true track: lies outside the folder"
    try:
        with local_copy(join(root, place.as_posix()), output) as path:
            track = MotionTrack.load(path)
    except DreamactorError as error:
        return f"true track: {error.problem}"
    if len(track) != info.frame_count:
        return f"true track: has {len(track)} frames, the video {info.frame_count}"
    return None
