"""Pieces with their verdicts and files become rows of the manifest, each with its split."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from dreamactor_core.manifest import ClipRow, Split
from dreamactor_core.settings.ingest import IngestSettings

from dreamactor_dataset.ingest.judging import Verdict, permission
from dreamactor_dataset.ingest.pieces import Piece
from dreamactor_dataset.ingest.splits import SplitShares, Ties, assign_splits, connected_groups, hashed_split
from dreamactor_dataset.ingest.writing import Written


def make_rows(
    pieces: Sequence[Piece],
    verdicts: Sequence[Verdict],
    written: Mapping[str, Written],
    splits: Sequence[tuple[Split, str]],
    settings: IngestSettings,
) -> list[ClipRow]:
    """A row for each piece, in order.

    Args:
        written: the files of those that are kept, by clip id.
        splits: see `place_pieces`.
    """
    return [
        _row(piece, verdict, written.get(piece.clip_id), place, settings)
        for piece, verdict, place in zip(pieces, verdicts, splits, strict=True)
    ]


def place_pieces(
    pieces: Sequence[Piece], verdicts: Sequence[Verdict], settings: IngestSettings
) -> list[tuple[Split, str]]:
    """Split and group of each piece. What is not kept binds nobody together.

    Raises:
        InputError: clips of one group state two splits.
    """
    shares = SplitShares(val=settings.val_share, test=settings.test_share)
    kept = [index for index, verdict in enumerate(verdicts) if verdict.status == "kept"]
    ties = [_ties(pieces[index], verdicts[index]) for index in kept]
    splits = assign_splits(ties, shares)
    groups = connected_groups(ties)
    names: dict[int, str] = {}
    for tie, group in zip(ties, groups, strict=True):
        names[group] = min(tie.identity, names.get(group, tie.identity))
    placed = {index: (split, names[group]) for index, split, group in zip(kept, splits, groups, strict=True)}
    of_identity = {pieces[index].identity: place for index, place in placed.items()}
    return [
        placed.get(index) or of_identity.get(piece.identity) or _alone(piece, shares)
        for index, piece in enumerate(pieces)
    ]


def _ties(piece: Piece, verdict: Verdict) -> Ties:
    return Ties(piece.identity, video=piece.finding.name, look=verdict.look, stated=piece.notes.split)


def _alone(piece: Piece, shares: SplitShares) -> tuple[Split, str]:
    return piece.notes.split or hashed_split(piece.identity, shares), piece.identity


def _row(
    piece: Piece, verdict: Verdict, written: Written | None, place: tuple[Split, str], settings: IngestSettings
) -> ClipRow:
    notes, finding = piece.notes, piece.finding
    allowed = permission(piece, settings)
    return ClipRow(
        clip_id=piece.clip_id,
        **_file(piece, written),
        source=allowed["source"] or "",
        identity=piece.identity,
        category=notes.category,
        licence=allowed["licence"],
        consent=allowed["consent"],
        split=place[0],
        group=place[1],
        synthetic=notes.synthetic,
        truth_track=written.truth if written else None,
        framing=notes.framing,
        status=verdict.status,
        reason=verdict.reason,
        source_video=finding.place,
        start_s=_start_s(piece),
        perceptual_group=verdict.look,
    )


def _file(piece: Piece, written: Written | None) -> dict[str, Any]:
    """What the manifest says of the clip's file: of the one that was written, else of the video it would come from."""
    info = piece.finding.video_info
    if written is not None:
        fps = Fraction(written.fps)
        known = written.model_dump(include={"video", "sha256", "width", "height", "frame_count"})
        return known | {"fps_num": fps.numerator, "fps_den": fps.denominator}
    return {
        "video": piece.finding.place,
        "sha256": piece.finding.sha256,
        "width": info.width if info else 0,
        "height": info.height if info else 0,
        "frame_count": piece.frame_count,
        "fps_num": piece.finding.rate.numerator,
        "fps_den": piece.finding.rate.denominator,
    }


def _start_s(piece: Piece) -> float:
    return float(piece.shot.start / piece.finding.rate) if piece.shot is not None and piece.finding.rate else 0.0
