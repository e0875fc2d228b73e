"""The clips of a suite: which held-out rows, and who drives whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dreamactor_core.errors import InputError
from dreamactor_core.manifest import ClipRow, Split, read_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_dataset.balance.evaluation_list import frozen_rows
from dreamactor_signals.views import head_yaw_rad

from dreamactor_model.evaluation.suites.table import Suite

_SPLITS: tuple[Split, ...] = ("test", "val")


@dataclass(frozen=True)
class Pair:
    """Who is animated, and by whose motion: twice the same clip where it drives itself."""

    person: ClipRow
    driver: ClipRow

    @property
    def name(self) -> str:
        """Of the pair: the clip's, or those of both."""
        if self.person == self.driver:
            return self.person.clip_id
        return f"{self.person.clip_id}--{self.driver.clip_id}"


def select_pairs(suite: Suite, manifest: Path, *, clips: int, frozen: Path | None = None) -> list[Pair]:
    """What a suite animates: clips of the frozen list; without one, of split test, or of val where there is no test.

    Args:
        clips: how many pairs at most; a suite that asks for many takes all there are.
        frozen: `dreamactor dataset freeze` wrote it.

    Raises:
        InputError: no clip is held out, or too few of those that the suite is about; or a clip of the frozen list is
            not there any more, or not as it was.
    """
    rows = _held_out_rows(manifest) if frozen is None else frozen_rows(frozen, manifest)
    rows = [row for row in rows if suite.framings is None or row.framing in suite.framings]
    if suite.turning_first:
        rows.sort(key=lambda row: -_turning_rad(track_of(row, manifest.parent)))
    pairs = [Pair(row, row) for row in rows] if suite.drive == "self" else _cross_pairs(rows)
    if len(pairs) < suite.least_clips:
        framed = "" if suite.framings is None else f"{' or '.join(suite.framings)} "
        what = f"{framed}clips" + ("" if suite.drive == "self" else " that another person's clip can drive")
        raise InputError(
            f"suite {suite.name} needs {suite.least_clips} held-out {what}, there are {len(pairs)}",
            path=frozen or manifest,
            remedy="Raise dataset.ingest.test_share and ingest again",
        )
    return pairs if suite.least_clips > 1 else pairs[:clips]


def track_of(row: ClipRow, folder: Path) -> MotionTrack:
    """The clip's motion: the tracked one, or its truth where it was not tracked."""
    return MotionTrack.load(folder / str(row.motion))


def _held_out_rows(manifest: Path) -> list[ClipRow]:
    rows = [row for row in read_manifest(manifest) if row.status == "kept" and row.motion]
    for split in _SPLITS:
        if chosen := [row for row in rows if row.split == split]:
            return chosen
    raise InputError(
        "no clip is held out for evaluation", path=manifest, remedy="Raise dataset.ingest.test_share and ingest again"
    )


def _cross_pairs(rows: Sequence[ClipRow]) -> list[Pair]:
    """Every clip's person, moved by the next clip of somebody else that shows as much of the body."""
    pairs = []
    for index, row in enumerate(rows):
        others = [*rows[index + 1 :], *rows[:index]]
        driver = next((other for other in others if _can_drive(other, row)), None)
        if driver is not None:
            pairs.append(Pair(row, driver))
    return pairs


def _can_drive(driver: ClipRow, person: ClipRow) -> bool:
    return driver.framing == person.framing and driver.group != person.group


def _turning_rad(track: MotionTrack) -> float:
    """How far the person turns; 0 for one who is never seen."""
    yaw_rad = head_yaw_rad(track)
    seen = yaw_rad[~np.isnan(yaw_rad)]
    return float(np.ptp(np.unwrap(seen))) if len(seen) else 0.0
