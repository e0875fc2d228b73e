"""Kept, rejected or quarantined: each clip's verdict, with the reason, and its row of the manifest."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from dreamactor_core.errors import DreamactorError
from dreamactor_core.manifest import ClipRow, Split, Status
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.dataset import IngestSettings

from dreamactor_dataset.ingest.inspection import Finding

Verdict = tuple[Status, str | None]


def judge_clips(
    findings: Iterable[Finding], folder: Path, splits: Iterable[Split], settings: IngestSettings
) -> list[ClipRow]:
    """A row for each finding, in order.

    Args:
        findings: of the videos in `folder`.
        folder: true tracks are relative to it.
        splits: of the findings, in their order.
        settings: the shortest clip, and licence and consent of clips that state none.
    """
    kept_by_sha256: dict[str, str] = {}
    rows = []
    for finding, split in zip(findings, splits, strict=True):
        verdict = _verdict(finding, folder, kept_by_sha256, settings)
        if verdict[0] == "kept":
            kept_by_sha256[finding.sha256] = finding.clip_id
        rows.append(_row(finding, folder, split, verdict, settings))
    return rows


def _verdict(finding: Finding, folder: Path, kept_by_sha256: Mapping[str, str], settings: IngestSettings) -> Verdict:
    if finding.info is None:
        return "rejected", finding.problem
    if finding.info.frame_count < settings.min_frames:
        return "rejected", f"too short: {finding.info.frame_count} frames, at least {settings.min_frames} are needed"
    licence, consent = _permission(finding, settings)
    if missing := [name for name, value in (("licence", licence), ("consent", consent)) if value is None]:
        return "quarantined", f"no {' and no '.join(missing)} stated"
    # Only against what is kept: a copy with a licence may stand where the first one has none.
    if original := kept_by_sha256.get(finding.sha256):
        return "rejected", f"exact duplicate of {original}"
    problem = _truth_problem(finding, folder, finding.info.frame_count)
    return ("rejected", problem) if problem else ("kept", None)


def _permission(finding: Finding, settings: IngestSettings) -> tuple[str | None, str | None]:
    return finding.notes.licence or settings.default_licence, finding.notes.consent or settings.default_consent


def _truth_problem(finding: Finding, folder: Path, frame_count: int) -> str | None:
    """What is wrong with the true track, if one is stated."""
    if finding.notes.truth_track is None:
        return None
    path = folder / finding.notes.truth_track
    if not path.resolve().is_relative_to(folder.resolve()):
        return "true track: lies outside the folder"
    try:
        track = MotionTrack.load(path)
    except DreamactorError as error:
        return f"true track: {error.problem}"
    if len(track) != frame_count:
        return f"true track: has {len(track)} frames, the video {frame_count}"
    return None


def _row(finding: Finding, folder: Path, split: Split, verdict: Verdict, settings: IngestSettings) -> ClipRow:
    (status, reason), info, notes = verdict, finding.info, finding.notes
    kept = status == "kept"
    licence, consent = _permission(finding, settings)
    return ClipRow(
        clip_id=finding.clip_id,
        video=kept_video(finding) if kept else finding.path.relative_to(folder).as_posix(),
        sha256=finding.sha256,
        width=info.width if info else 0,
        height=info.height if info else 0,
        fps_num=info.fps.numerator if info else 0,
        fps_den=info.fps.denominator if info else 1,
        frame_count=info.frame_count if info else 0,
        source=notes.source or folder.resolve().name,
        identity=finding.identity,
        category=notes.category,
        licence=licence,
        consent=consent,
        split=split,
        synthetic=notes.synthetic,
        truth_track=kept_truth(finding) if kept and notes.truth_track else None,
        framing=notes.framing,
        status=status,
        reason=reason,
    )


def kept_video(finding: Finding) -> str:
    """Where a kept clip lies in the data set."""
    return f"clips/{finding.clip_id}{finding.path.suffix.lower()}"


def kept_truth(finding: Finding) -> str:
    """Where a kept clip's true track lies in the data set."""
    return f"truth/{finding.clip_id}.safetensors"
