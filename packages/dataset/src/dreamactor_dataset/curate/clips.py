"""`dreamactor dataset curate`: of the tracked clips those that are good enough to train on.

What was measured of a clip is remembered, so that other limits cost nothing and a broken run goes on where it was.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dreamactor_core.console import progress, say
from dreamactor_core.errors import DreamactorError, InputError
from dreamactor_core.files import atomic_path, sha256_file, write_text
from dreamactor_core.manifest import ClipRow, read_manifest, write_manifest
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.settings.curate import CurateSettings
from dreamactor_core.settings.signals import SignalsSettings
from dreamactor_core.worker_pool import Accident, WorkerPool

from dreamactor_dataset.curate.limits import refusal
from dreamactor_dataset.curate.measures import Measures, measure_clip

MANIFEST, MEASURES, JOURNAL = "manifest.parquet", "measures.parquet", "measured.jsonl"
# Another one when the same clip would be measured otherwise.
_VERSION = 2


@dataclass(frozen=True)
class MeasureJob:
    """A clip to be measured."""

    row: ClipRow
    folder: Path
    frames: int

    @property
    def key(self) -> str:
        """Equal for equal videos, tracks and ways to measure."""
        return f"{_VERSION}-{self.frames}-{self.row.sha256}-{sha256_file(self.folder / str(self.row.motion))}"

    def run(self, count_people: Callable[..., int] | None) -> Measures | str:
        """Its measures, or why it cannot be measured."""
        try:
            track = MotionTrack.load(self.folder / str(self.row.motion))
            video = self.folder / self.row.video
            return measure_clip(video, track, frames=self.frames, count_people=count_people)
        except DreamactorError as error:
            return f"{type(error).__name__}: {error.problem}"


def curate_clips(
    manifest: Path,
    output: Path,
    settings: CurateSettings,
    signals: SignalsSettings,
    *,
    report: Callable[[str], None] = say,
) -> list[ClipRow]:
    """Reject the clips that are beyond the limits, each with its reasons.

    Args:
        manifest: of the tracked clips.
        output: folder of manifest.parquet and measures.parquet (one row a measured clip).
        settings: limits, and how many frames are looked at.
        signals: of the networks that count people.

    Returns:
        The new manifest's rows. A clip that cannot be measured is rejected too.

    Raises:
        InputError: no manifest, no tracked clip in it, or none that is good enough.
        WeightsError: people are to be counted and the networks are not installed.
    """
    rows = read_manifest(manifest)
    jobs = {
        row.clip_id: MeasureJob(row, manifest.parent, settings.frames)
        for row in rows
        if row.status == "kept" and row.motion is not None
    }
    if not jobs:
        raise InputError(
            "has no tracked clip", path=manifest, remedy="Make tracks with: dreamactor signals extract --manifest ..."
        )
    measured = _measure(jobs, output, settings, signals)
    curated = [_judged(_moved(row, manifest.parent, output), measured.get(row.clip_id), settings) for row in rows]
    for line in _summary(curated, jobs):
        report(line)
    if not any(row.status == "kept" for row in curated):
        raise InputError("no clip is good enough", path=manifest, remedy="See the reasons, or ease dataset.curate")
    _write_measures(output / MEASURES, {name: m for name, m in measured.items() if isinstance(m, Measures)})
    write_manifest(output / MANIFEST, curated)
    return curated


def _measure(
    jobs: Mapping[str, MeasureJob], output: Path, settings: CurateSettings, signals: SignalsSettings
) -> dict[str, Measures | str]:
    """Of every clip its measures or the reason why there are none."""
    journal = output / JOURNAL
    keys = {name: job.key for name, job in jobs.items()}
    known = _remembered(journal)
    measured: dict[str, Measures | str] = {name: known[key] for name, key in keys.items() if key in known}
    todo = [job for name, job in jobs.items() if name not in measured]
    if measured:
        say(f"{len(measured)} of {len(jobs)} clips are measured already")
    output.mkdir(parents=True, exist_ok=True)
    with journal.open("a") as file:
        for job, result in progress(_results(todo, settings, signals), "measuring clips", total=len(todo)):
            measured[job.row.clip_id] = result.reason if isinstance(result, Accident) else result
            if isinstance(result, Measures):
                file.write(json.dumps({"key": keys[job.row.clip_id], "measures": result.to_json()}) + "\n")
                file.flush()
    lines = [
        json.dumps({"key": keys[name], "measures": result.to_json()}) + "\n"
        for name, result in sorted(measured.items())
        if isinstance(result, Measures)
    ]
    write_text(journal, "".join(lines))
    return measured


def _results(
    jobs: Sequence[MeasureJob], settings: CurateSettings, signals: SignalsSettings
) -> Iterator[tuple[MeasureJob, Measures | str | Accident]]:
    prepare = partial(_measuring, signals, count=settings.max_people is not None)
    if settings.processes == 1:
        do = prepare()
        yield from ((job, do(job)) for job in jobs)
        return
    with WorkerPool(prepare, processes=settings.processes, deadline_s=settings.clip_deadline_s) as pool:
        yield from pool.map(jobs)


def _measuring(signals: SignalsSettings, *, count: bool) -> Callable[[MeasureJob], Measures | str]:
    """What a worker does; the networks are loaded once."""
    from dreamactor_signals.trackers.embedded.counting import PeopleCounter

    counter = PeopleCounter(threads=signals.threads, min_score=signals.min_score).count_in if count else None
    return lambda job: job.run(counter)


def _remembered(journal: Path) -> dict[str, Measures]:
    """What earlier runs measured, by key; a line that a kill cut short is passed over."""
    known = {}
    for line in journal.read_text().splitlines() if journal.exists() else []:
        try:
            entry = json.loads(line)
            known[entry["key"]] = Measures.from_json(entry["measures"])
        except (json.JSONDecodeError, KeyError, TypeError):
            continue
    return known


def _judged(row: ClipRow, measured: Measures | str | None, settings: CurateSettings) -> ClipRow:
    if measured is None:
        return row
    reason = measured if isinstance(measured, str) else refusal(measured, settings)
    return row if reason is None else row.model_copy(update={"status": "rejected", "reason": reason})


def _moved(row: ClipRow, old: Path, new: Path) -> ClipRow:
    """The row with its paths relative to the new manifest's folder."""
    paths = {name: getattr(row, name) for name in ("video", "track", "truth_track")}
    return row.model_copy(
        update={name: os.path.relpath(old / path, new) for name, path in paths.items() if path is not None}
    )


def _summary(rows: Iterable[ClipRow], jobs: Mapping[str, MeasureJob]) -> list[str]:
    judged = [row for row in rows if row.clip_id in jobs]
    kept = sum(row.status == "kept" for row in judged)
    kinds = Counter(part.partition(":")[0] for row in judged for part in (row.reason or "").split("; ") if part)
    return [f"{kept} of {len(judged)} tracked clips are kept"] + [
        f"  {n:>6}  {kind}" for kind, n in kinds.most_common()
    ]


def _write_measures(path: Path, measured: Mapping[str, Measures]) -> None:
    import pyarrow
    import pyarrow.parquet

    rows = [{"clip_id": name} | measures.to_json() for name, measures in sorted(measured.items())]
    kinds = {name: pyarrow.int64() if name == "people" else pyarrow.float64() for name in Measures.names()}
    schema = pyarrow.schema([("clip_id", pyarrow.string()), *kinds.items()])
    with atomic_path(path) as temporary:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), temporary)
