"""`dreamactor dataset ingest`: a folder of videos becomes a data set, whole or not at all."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from dreamactor_core.console import say
from dreamactor_core.errors import InputError
from dreamactor_core.files import atomic_directory
from dreamactor_core.manifest import ClipRow, write_manifest
from dreamactor_core.settings.dataset import IngestSettings

from dreamactor_dataset.ingest.clip_list import CLIP_LIST, read_clip_list
from dreamactor_dataset.ingest.discovery import find_clips
from dreamactor_dataset.ingest.inspection import Finding, inspect_clips
from dreamactor_dataset.ingest.judging import judge_clips
from dreamactor_dataset.ingest.splits import SplitShares, Ties, assign_splits

MANIFEST = "manifest.parquet"


def ingest_folder(
    folder: Path, output: Path, settings: IngestSettings, *, report: Callable[[str], None] = say
) -> list[ClipRow]:
    """Make a data set of a folder of videos and its clips.csv, where there is one.

    Args:
        folder: searched with its sub-folders.
        output: manifest.parquet, clips/ and truth/; an older data set there is replaced. Equal input, equal bytes.
        settings: defaults, limits and split shares.
        report: takes the lines that say what was kept and why the rest was not.

    Returns:
        The manifest's rows. Those rejected or quarantined carry the reason and are not copied; their `video` is
        relative to `folder`.

    Raises:
        InputError: no video, a contradictory clips.csv, nothing that can be kept, or an output that would overwrite
            something else. Nothing is written then.
    """
    clips = find_clips(folder)
    _check_output(folder, output)
    findings = inspect_clips(clips, read_clip_list(folder, clips), threads=settings.threads)
    splits = assign_splits(
        [Ties(finding.identity, stated=finding.notes.split) for finding in findings],
        SplitShares(val=settings.val_share, test=settings.test_share),
    )
    rows = judge_clips(findings, folder, splits, settings)
    for line in summarise(rows):
        report(line)
    _require_kept(rows, folder)
    _write(rows, findings, folder, output, hard_link=settings.hard_link)
    return rows


def summarise(rows: Sequence[ClipRow]) -> list[str]:
    """Lines for the user: counts by status and split, then each clip that is not kept with its reason."""
    statuses = Counter(row.status for row in rows)
    splits = Counter(row.split for row in rows if row.status == "kept")
    lines = [f"{status:<12}{statuses[status]:>6}" for status in ("kept", "rejected", "quarantined")]
    lines[0] += f"  ({', '.join(f'{splits[split]} {split}' for split in ('train', 'val', 'test'))})"
    width = max(len(row.clip_id) for row in rows)
    lines += [f"  {row.status:<12}{row.clip_id:<{width}}  {row.reason}" for row in rows if row.status != "kept"]
    return lines


def _check_output(folder: Path, output: Path) -> None:
    source, target = folder.resolve(), output.resolve()
    if source.is_relative_to(target) or target.is_relative_to(source):
        raise InputError("the data set and the videos would lie in each other", path=output, remedy="Choose another -o")
    if output.exists() and not output.is_dir():
        raise InputError("is a file, not a folder", path=output, remedy="Choose another -o")
    if output.exists() and any(output.iterdir()) and not (output / MANIFEST).exists():
        raise InputError("holds something that is not a data set", path=output, remedy="Choose another -o or empty it")


def _require_kept(rows: Sequence[ClipRow], folder: Path) -> None:
    if any(row.status == "kept" for row in rows):
        return
    reason, count = Counter(str(row.reason) for row in rows).most_common(1)[0]
    unlicensed = any(row.status == "quarantined" for row in rows)
    raise InputError(
        f"none of {len(rows)} clips can be kept ({count}: {reason})",
        path=folder,
        remedy=f"State licence and consent in {CLIP_LIST}, or give --default-licence and --default-consent"
        if unlicensed
        else "Give videos that can be read",
    )


def _write(
    rows: Sequence[ClipRow], findings: Sequence[Finding], folder: Path, output: Path, *, hard_link: bool
) -> None:
    with atomic_directory(output) as temporary:
        for row, finding in zip(rows, findings, strict=True):
            if row.status != "kept":
                continue
            _place(finding.path, temporary / row.video, hard_link=hard_link)
            if row.truth_track is not None and finding.notes.truth_track is not None:
                _place(folder / finding.notes.truth_track, temporary / row.truth_track, hard_link=hard_link)
        write_manifest(temporary / MANIFEST, rows)


def _place(source: Path, target: Path, *, hard_link: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if hard_link:
        _link(source.resolve(), target)
    else:
        shutil.copyfile(source, target)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        raise InputError(
            f"cannot be linked into the data set ({error.strerror})",
            path=source,
            remedy="Set dataset.ingest.hard_link to false",
        ) from error
